"""`preflight` from end to end: what it reads of a train command, verdict and exit code."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
from cli_runs import SCHEMA, Command, asked


def test_options_may_stand_behind_a_command_that_was_quoted_whole(detloss: Command) -> None:
    command = "python train.py --img 320 --data vegetables/data.yaml --weights yolov5s.pt"
    before, behind = (asked(detloss, "preflight", *words) for words in (("--no-cache", command), (command, "--no-cache")))
    assert before == behind


def test_preflight_says_go(detloss: Command) -> None:
    code, out, _ = detloss("preflight", "python", "train.py", "--img", "320", "--data", "vegetables/data.yaml", "--batch", "8")
    assert code == 0
    assert out.splitlines()[-1].startswith("preflight: go · 0 errors")
    assert "train command: data data.yaml · imgsz 320 · batch 8" in " ".join(out.split())


def test_preflight_says_stop(detloss: Command, home: Path) -> None:
    label = next((home / "vegetables" / "labels" / "train").glob("*.txt"))
    label.write_text("99 0.5 0.5 0.1 0.1\n")
    code, out, _ = detloss("preflight", "yolo detect train data=vegetables/data.yaml model=yolo11n.pt imgsz=320")
    assert code == 1
    assert "class-out-of-range" in out
    assert out.splitlines()[-1].startswith("preflight: stop")
    assert out.splitlines()[-1].endswith("exit 1, so that && does not start the training")


def test_preflight_is_what_compute_computes(detloss: Command) -> None:
    command = ["yolo", "train", "data=vegetables/data.yaml", "model=yolo11n.pt", "imgsz=320", "box=9", "batch=4"]
    code, out, err = detloss("preflight", "--format", "json", *command)
    assert code == 0, err
    body = json.loads(out)
    jsonschema.validate(body, SCHEMA)
    assert body["command"] == "preflight"
    assert ["data", "data.yaml", "train command"] in body["run"]["values"]
    assert next(gain for gain in body["gains"] if gain["term"] == "box")["used"] == 9


def test_preflight_refuses_a_word_and_chains(detloss: Command) -> None:
    code, out, err = detloss("preflight", "python", "train.py", "--data", "vegetables/data.yaml", "--imgx", "640")
    assert (code, out) == (2, "")
    assert err == "detloss: TRAIN COMMAND: '--imgx' is no option of yolov5's train.py (did you mean img?)\n"
