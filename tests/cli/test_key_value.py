"""`key=value` words, as users of yolo type them: options, switches and hyperparameters, on every command that has a loss or targets."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from detloss_cli.cli import main as entry

DATA = "sample_data/vegetables/data.yaml"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def at_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    code = entry.run([*words, "--no-cache", "--format", "json"])
    out, err = capsys.readouterr()
    assert code in (0, 1), err
    body: dict[str, Any] = json.loads(out)
    return body


def with_hyp(tmp_path: Path, **changes: float) -> str:
    """The default hyp file, changed."""
    content = yaml.safe_load((ROOT / "configs/hyp.scratch-low.yaml").read_text())
    path = tmp_path / "hyp.yaml"
    path.write_text(yaml.safe_dump({**content, **changes}))
    return str(path)


@pytest.mark.parametrize("command", [("compute",), ("check",), ("inspect", "targets"), ("inspect", "anchors")])
def test_a_hyperparameter_is_what_it_would_be_in_the_file(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = asked(capsys, *command, f"data={DATA}", "imgsz=320", "box=0.1", "--set", "anchor_t=3")
    in_file = asked(capsys, *command, DATA, "--imgsz", "320", "--hyp", with_hyp(tmp_path, box=0.1, anchor_t=3.0))
    for part in ("levels", "assignment", "gains", "terms", "totals", "marks", "labels"):
        assert typed.get(part) == in_file.get(part), part
    assert (typed["settings"]["origins"]["box"], typed["settings"]["origins"]["anchor_t"]) == ("box=0.1", "anchor_t=3.0")


def test_the_ledger_begins_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    gains = asked(capsys, "inspect", "hyp", "scratch-low", "box=0.1", f"data={DATA}")["gains"]
    assert {gain["term"]: gain["hyp"] for gain in gains}["box"] == 0.1


def test_switches_say_yes_or_no(capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(capsys, "compute", DATA, "single_cls=True", "imgsz=320")["settings"]["num_classes"] == 1
    assert asked(capsys, "compute", DATA, "single_cls=False", "imgsz=320")["settings"]["num_classes"] == 12


def test_a_word_of_the_command_line_wins_over_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(ROOT / "sample_data/vegetables", tmp_path / "vegetables")
    (tmp_path / "args.yaml").write_text(
        f"task: detect\nmodel: yolov8n.pt\ndata: {tmp_path}/vegetables/data.yaml\nimgsz: 320\nbatch: 8\nbox: 9.0\n"
    )
    found = asked(capsys, "compute", "--run", str(tmp_path), "box=3")
    assert {gain["term"]: gain["hyp"] for gain in found["gains"]}["box"] == 3
    assert found["settings"]["origins"]["box"] == "box=3.0"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("compute", DATA, "boxx=3"), "boxx=3: yolov5 has no hyperparameter 'boxx' (did you mean box?)"),
        (("compute", DATA, "box=abc"), "box=abc: not a number"),
        (("compute", DATA, "box=nan"), "box=nan: not a number"),
        (("check", DATA, "lr0=0.01"), "lr0=0.01: lr0 is read by the trainer, not by its loss"),
        (("inspect", "targets", DATA, "iou_t=0.1"), "iou_t=0.1: no release of yolov5 reads iou_t any more"),
        (("compute", DATA, "dfl=1.5"), "dfl=1.5: yolov5 does not read dfl, other families do"),
        (("compute", DATA, "family=yolov8", "obj=1"), "obj=1: yolov8 does not read obj"),
        (("compute", DATA, "--set", "box"), "--set box: expected KEY=VALUE"),
        (("compute", DATA, "single_cls=maybe"), "'--single-cls' does not take a value"),
        (("compute", "no=1/data.yaml"), "no=1/data.yaml: no such file or folder"),
        (("inspect", "labels", DATA, "box=1"), "box=1: no label row depends on it"),
    ],
)
def test_what_cannot_be_said_is_one_line(words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run(list(words)) == 2
    out, err = capsys.readouterr()
    assert told in err
    assert (out, err.count("\n")) == ("", 1)


def test_an_old_name_of_a_key_works_in_the_releases_that_had_it(capsys: pytest.CaptureFixture[str]) -> None:
    found = asked(capsys, "compute", DATA, "family=yolov5", "profile=3.0", "giou=0.1", "imgsz=320")
    assert found["settings"]["origins"]["box"] == "box=0.1"


def test_a_file_whose_name_looks_like_one_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "sample_data/vegetables", tmp_path / "box=1")
    monkeypatch.chdir(tmp_path)
    assert asked(capsys, "compute", "box=1", "imgsz=320")["data"]["path"] == "box=1"


def test_class_weights_of_ultralytics_reach_the_loss(capsys: pytest.CaptureFixture[str]) -> None:
    """Logits of 0 cost ln 2 whatever the target, and weights have a mean of 1: there the sum stays."""

    def cls(*words: str) -> float:
        value = asked(capsys, "compute", DATA, "--split", "val", "--model", "yolo11n", *words)["totals"]["cls"]
        return float(value)

    assert cls("cls_pw=1", "--head", "zero") == pytest.approx(cls("--head", "zero"), rel=1e-5)
    assert abs(cls("cls_pw=1") / cls("cls_pw=0") - 1) > 0.01
    older = ("--profile", "8.3.200")
    assert cls("cls_pw=1", *older) == cls(*older)
