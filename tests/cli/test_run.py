"""`--run` and `preflight` from end to end: settings, header, log, verdict and exit code."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from detloss_cli.cli import main as entry
from detloss_cli.report import json_format
from detloss_cli.report.sections.run import sparkline

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((Path(json_format.__file__).parent / "schema.json").read_text())
HYP = {"box": 0.05, "cls": 0.5, "cls_pw": 1.0, "obj": 1.0, "obj_pw": 1.0, "anchor_t": 4.0, "fl_gamma": 0.0}
OPT = {"weights": "yolov5s.pt", "cfg": "", "data": "vegetables/data.yaml", "imgsz": 320, "batch_size": 8, "label_smoothing": 0.0}
OPT |= {"rect": False, "single_cls": False, "noautoanchor": True, "seed": 0, "hyp": HYP}
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "sample_data" / "vegetables", tmp_path / "vegetables")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DETLOSS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def detloss(home: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = entry.run(list(arguments))
        out, err = capsys.readouterr()
        return code, out, err

    return run


def run_folder(home: Path, changes: dict[str, Any] | None = None, log: str = "") -> str:
    folder = home / "runs" / "train" / "exp"
    folder.mkdir(parents=True)
    (folder / "opt.yaml").write_text(yaml.safe_dump({**OPT, **(changes or {})}, sort_keys=False))
    (folder / "hyp.yaml").write_text(yaml.safe_dump(HYP))
    if log:
        (folder / "results.csv").write_text(log)
    return "runs/train/exp"


def logged(**terms: Sequence[float]) -> str:
    head = ",".join(["epoch", *(f"train/{name}_loss" for name in terms)])
    rows = [",".join([str(epoch), *map(str, values)]) for epoch, values in enumerate(zip(*terms.values(), strict=True))]
    return "\n".join([head, *rows]) + "\n"


def test_options_may_stand_behind_a_command_that_was_quoted_whole(detloss: Command) -> None:
    command = "python train.py --img 320 --data vegetables/data.yaml --weights yolov5s.pt"
    before, behind = (asked(detloss, "preflight", *words) for words in (("--no-cache", command), (command, "--no-cache")))
    assert before == behind


def asked(detloss: Command, *arguments: str) -> dict[str, Any]:
    code, out, err = detloss(*arguments, "--format", "json")
    assert code in (0, 1), err
    body: dict[str, Any] = json.loads(out)
    jsonschema.validate(body, SCHEMA)
    return body


def test_a_run_is_the_same_as_its_options(detloss: Command, home: Path) -> None:
    by_run = asked(detloss, "compute", "--run", run_folder(home))
    options = ["--hyp", "runs/train/exp/hyp.yaml", "--model", "yolov5s", "--imgsz", "320", "--batch-size", "8", "--profile", "6.2"]
    by_options = asked(detloss, "compute", "vegetables/data.yaml", *options)
    assert by_run["settings"]["profile"] == "7.0"
    assert by_run["totals"] == asked(detloss, "compute", "vegetables/data.yaml", *options[:-2])["totals"] != {}
    assert by_run["settings"]["imgsz"] == by_options["settings"]["imgsz"] == [320, 320]
    assert by_run["settings"]["batch_size"] == 8


def test_every_value_names_its_file(detloss: Command, home: Path) -> None:
    body = asked(detloss, "compute", "--run", run_folder(home, {"label_smoothing": 0.1}))
    origins = body["settings"]["origins"]
    assert origins["imgsz"] == origins["batch_size"] == "opt.yaml"
    assert (origins["hyp"], origins["model"]) == ("hyp.yaml", "opt.yaml weights")
    assert origins["profile"] == "opt.yaml holds the whole hyp"
    assert "opt.yaml" in origins["label_smoothing"]
    assert ["imgsz", "320", "opt.yaml"] in body["run"]["values"]
    _, out, _ = detloss("compute", "--run", "runs/train/exp")
    head = " ".join(out[: out.index("\ntargets")].split())
    assert "opt.yaml: data data.yaml · imgsz 320 · batch 8" in head
    assert "opt.yaml weights: model yolov5s" in head
    assert "hyp.yaml: hyp hyp.yaml" in head
    assert "no results.csv" in head


def test_an_explicit_option_wins(detloss: Command, home: Path) -> None:
    body = asked(detloss, "compute", "--run", run_folder(home), "--imgsz", "640", "--batch-size", "16", "--profile", "6.0")
    assert (body["settings"]["imgsz"], body["settings"]["batch_size"], body["settings"]["profile"]) == ([640, 640], 16, "6.0")
    assert {"imgsz", "batch_size", "profile"} & {key for key, _, _ in body["run"]["values"]} == set()
    assert body["settings"]["origins"]["imgsz"] == "--imgsz"


def test_another_family_leaves_the_release_of_the_run(detloss: Command, home: Path) -> None:
    body = asked(detloss, "compute", "--run", run_folder(home), "--trainer", "yolov5-6.0")
    assert (body["settings"]["profile"], body["settings"]["loader"]) == ("6.0", "yolov5-4.0")


def test_a_run_comes_before_the_settings_of_the_project(detloss: Command, home: Path) -> None:
    (home / "detloss.yaml").write_text("imgsz: 640\nbatch-size: 4\nmodel: yolov7\ndata: nowhere.yaml\n")
    body = asked(detloss, "compute", "--run", run_folder(home))
    assert (body["settings"]["model"], body["settings"]["batch_size"]) == ("yolov5s", 8)


def test_what_is_missing_is_asked_for_in_one_line(detloss: Command, home: Path) -> None:
    folder = run_folder(home)
    (home / folder / "opt.yaml").unlink()
    code, out, err = detloss("compute", "--run", folder)
    assert (code, out) == (2, "")
    assert err == f"detloss: {folder}: opt.yaml is missing (give DATA --model --imgsz --batch-size)\n"
    options = ("--model", "yolov5s", "--imgsz", "320", "--batch-size", "8")
    assert asked(detloss, "compute", "vegetables/data.yaml", "--run", folder, *options)["settings"]["batch_size"] == 8


def test_a_hyp_needs_no_data(detloss: Command, home: Path) -> None:
    body = asked(detloss, "inspect", "hyp", "--run", run_folder(home, {"data": "gone.yaml"}))
    assert body["gains"]


@pytest.mark.parametrize("command", [["inspect", "labels"], ["inspect", "targets"], ["inspect", "anchors"], ["check"]])
def test_every_command_takes_a_run(command: list[str], detloss: Command, home: Path) -> None:
    body = asked(detloss, *command, "--run", run_folder(home))
    assert body["settings"]["loader"] == "yolov5-7.0"
    assert body["labels"]["boxes"] in (201, 400)


def test_single_class_has_no_class_loss(detloss: Command, home: Path) -> None:
    body = asked(detloss, "compute", "--run", run_folder(home, {"single_cls": True}))
    assert (body["settings"]["num_classes"], body["totals"]["cls"]) == (1, 0)
    assert [one["name"] for one in body["labels"]["classes"]] == ["item"]


def test_classes_leave_the_pictures_as_background(detloss: Command, home: Path) -> None:
    whole = asked(detloss, "compute", "vegetables/data.yaml")
    some = asked(detloss, "compute", "vegetables/data.yaml", "--classes", "3,7")
    kept = [one["boxes"] for one in whole["labels"]["classes"] if one["id"] in (3, 7)]
    assert some["labels"]["images"] == whole["labels"]["images"]
    assert some["labels"]["kept"] == sum(kept)
    assert some["labels"]["lost"]["by_rule"]["class-not-chosen"] == whole["labels"]["kept"] - sum(kept)


def test_another_number_of_classes(detloss: Command, home: Path) -> None:
    body = asked(detloss, "compute", "vegetables/data.yaml", "--nc", "80")
    assert body["settings"]["num_classes"] == 80
    assert next(gain for gain in body["gains"] if gain["term"] == "cls")["used"] == pytest.approx(0.5)


def test_rect_of_a_run_is_that_of_the_option(detloss: Command, home: Path) -> None:
    typed = asked(detloss, "compute", "vegetables/data.yaml", "--rect", "--imgsz", "320", "--batch", "4")
    by_run = asked(detloss, "compute", "--run", run_folder(home, {"rect": True, "batch_size": 4}))
    assert len(typed["settings"]["shapes"]) > 1
    assert by_run["settings"]["shapes"] == typed["settings"]["shapes"]
    assert by_run["totals"] == typed["totals"]
    for body in (typed, by_run):
        assert "switch-not-modelled" not in [one["rule"] for one in body["findings"]]
        jsonschema.validate(body, SCHEMA)


def test_rect_is_said_not_to_be_computed_where_the_trainer_has_none(detloss: Command, home: Path) -> None:
    for words in (("vegetables/data.yaml", "--rect"), ("--run", run_folder(home, {"rect": True}))):
        body = asked(detloss, "inspect", "targets", *words, "--family", "retinanet", "--model", "retinanet")
        assert [one["code"] for one in body["findings"] if one["rule"] == "switch-not-modelled"] == ["DET701"]
        assert "shapes" not in body["settings"]


def test_rect_beside_what_contradicts_it_is_one_line(detloss: Command, home: Path) -> None:
    code, out, err = detloss("compute", "vegetables/data.yaml", "--rect", "--geometry", "stretch")
    assert (code, out) == (2, "")
    assert "--geometry stretch: does not go with --rect" in err
    assert len(err.splitlines()) <= 2


def test_epochs_stand_beside_the_marks(detloss: Command, home: Path) -> None:
    epochs = range(12)
    log = logged(
        box=[0.1 * 0.9**epoch for epoch in epochs],
        obj=[0.006 + 0.01 * 0.1**epoch for epoch in epochs],
        cls=[0.05 * 0.8**epoch for epoch in epochs],
    )
    body = asked(detloss, "compute", "--run", run_folder(home, log=log))
    terms = {one["term"]: one for one in body["run"]["log"]["terms"]}
    for name, one in terms.items():
        assert [one["step_0"], one["base_rate"], one["floor"]] == [body["marks"][mark][name] for mark in ("prior", "base_rate", "perfect")]
    assert terms["obj"]["values"] == [pytest.approx(0.006 + 0.01 * 0.1**epoch) for epoch in epochs]
    below = terms["obj"]["below"]
    assert all(value < terms["obj"]["base_rate"] for value in terms["obj"]["values"][below:])
    assert below == 0 or terms["obj"]["values"][below - 1] >= terms["obj"]["base_rate"]
    assert [one["code"] for one in body["findings"] if one["rule"].startswith("log-")] == ["DET711"]
    _, out, _ = detloss("compute", "--run", "runs/train/exp")
    assert "results.csv is of augmented pictures, the marks are not" in out
    assert "█▇" in out


def test_objectness_that_still_falls_is_not_called_flat(detloss: Command, home: Path) -> None:
    log = logged(obj=[0.018 - 0.001 * epoch for epoch in range(12)])
    body = asked(detloss, "compute", "--run", run_folder(home, log=log))
    assert [one["rule"] for one in body["findings"] if one["rule"].startswith("log-")] == []


def test_a_first_epoch_above_step_0_points_at_what_differs(detloss: Command, home: Path) -> None:
    log = logged(box=[0.5, 0.4, 0.3], obj=[0.03, 0.02, 0.01])
    body = asked(detloss, "compute", "--run", run_folder(home, log=log))
    (found,) = [one for one in body["findings"] if one["rule"] == "log-first-epoch-high"]
    assert "box starts at 0.5" in found["message"]
    assert all(word in found["hint"] for word in ("gains", "anchors", "profile"))


def test_a_loss_that_is_not_finite_is_told_by_epoch(detloss: Command, home: Path) -> None:
    log = logged(box=[0.1, math.nan, math.nan], obj=[0.03, 0.02, math.inf])
    body = asked(detloss, "compute", "--run", run_folder(home, log=log))
    (found,) = [one for one in body["findings"] if one["rule"] == "log-not-finite"]
    assert found["message"].startswith("box is not finite from epoch 1 on")
    assert body["run"]["log"]["terms"][0]["values"] == [0.1, None, None]
    assert body["summary"]["exit_code"] == 1


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


@pytest.mark.parametrize(
    ("arguments", "rule", "words"),
    [
        (["--anchors", "auto"], None, "anchors stock: best possible recall 1.0000 is above 0.98"),
        (["--anchors", "refit"], "anchors-fitted-here", "anchors fitted here (--anchors refit)"),
        (["--model", "yolov5-p2"], "anchors-fitted-here", "anchors fitted here (the head has a number for anchors)"),
        (["--anchors", "sample_anchors.yaml"], None, "anchors of sample_anchors.yaml"),
    ],
)
def test_anchors_as_the_trainer_will_have_them(arguments: list[str], rule: str | None, words: str, detloss: Command, home: Path) -> None:
    (home / "sample_anchors.yaml").write_text("nc: 12\nanchors: [[8,8, 16,16], [32,32, 64,64], [128,128, 256,256]]\n")
    body = asked(detloss, "inspect", "targets", "vegetables/data.yaml", *arguments)
    assert body["settings"]["origins"]["anchors"] in words
    told = [one for one in body["findings"] if one["rule"] == "anchors-fitted-here"]
    assert [one["rule"] for one in told] == ([rule] if rule else [])
    assert all("varies from run to run" in one["message"] for one in told)
    assert all(anchors for level in body["levels"] for anchors in level["anchors"])


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["--model", "yolov5-p2", "--noautoanchor"],
            "--anchors stock: the head has a number for anchors, so without AutoAnchor it trains on the",
        ),
        (["--anchors", "auto", "--noautoanchor"], "--anchors auto: contradicts --noautoanchor"),
        (["--anchors", "stok"], "--anchors stok: no such model file"),
        (["--anchors", "refit", "--model", "yolo11n"], "--anchors refit: yolo11n has no anchors"),
        (["--classes", "0,x"], "--classes: '0,x' is no list of class ids"),
        (["--classes", "99"], "--classes: no class 99"),
    ],
)
def test_choices_that_cannot_be(arguments: list[str], line: str, detloss: Command) -> None:
    code, _, err = detloss("compute", "vegetables/data.yaml", *arguments)
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith(f"detloss: {line}")


@pytest.mark.parametrize(
    ("values", "bars"),
    [([], ""), ([1.0], "▁"), ([3, 2, 1], "█▅▁"), ([1, 1, 1], "▁▁▁"), ([2, None, 1], "█?▁"), (list(range(44)), "▁▁▂▂▂▃▃▃▄▄▄▅▅▅▆▆▆▇▇▇██")],
)
def test_sparkline(values: list[float | None], bars: str) -> None:
    assert sparkline(values) == bars
