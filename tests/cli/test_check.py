"""`detloss check` as a CI job runs it: 0 clean, 1 with a fault of any kind; what it reads, counts and selects."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from check_runs import Run, as_json, spoil_row

from detloss_cli.cli import main as entry

ROOT = Path(__file__).resolve().parents[2]


def test_clean_is_0(check: Run) -> None:
    code, out, err = check("vegetables/data.yaml")
    assert (code, err) == (0, "")
    assert "0 errors" in out


def spoil_class(data: Path) -> None:
    label = sorted((data / "labels" / "val").iterdir())[0]
    label.write_text("99 .5 .5 .1 .1\n" + label.read_text())


def spoil_yaml(data: Path) -> None:
    text = (data / "data.yaml").read_text()
    (data / "data.yaml").write_text(text.replace("train:", "train: [images/nowhere]\nx-train:"))


def spoil_nothing(data: Path) -> None:
    return


FAULTS: dict[str, tuple[Callable[[Path], None], list[str], str]] = {
    "row": (spoil_row, [], "column-count"),
    "class": (spoil_class, [], "class-out-of-range"),
    "yaml": (spoil_yaml, [], "data-path-missing"),
    "hyp": (spoil_nothing, ["--hyp", "bad.yaml"], "hyp-negative"),
    "model": (spoil_nothing, ["--model", "model.yaml"], "model-anchors-form"),
    "unassigned": (spoil_nothing, ["--hyp", "tight.yaml", "--max-unassigned", "0"], "too-many-unassigned"),
    "level": (spoil_nothing, ["--min-positives-per-level", "500"], "too-few-positives"),
    "recall": (spoil_nothing, ["--hyp", "tight.yaml", "--min-bpr", "1.0"], "recall-below-bound"),
    "collisions": (spoil_nothing, ["--max-collisions", "10"], "too-many-collisions"),
    "lost": (spoil_row, ["--max-lost-boxes", "0", "--ignore", "DET1"], "too-many-lost-boxes"),
    "share above": (spoil_nothing, ["--max-share", "P3=30%"], "share-above-bound"),
    "share below": (spoil_nothing, ["--min-share", "obj/P3=.5"], "share-below-bound"),
    "share of nothing": (spoil_nothing, ["--max-share", "objj=50%"], "bound-names-nothing"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_one_fault_of_each_kind_is_1(name: str, data: Path, check: Run) -> None:
    spoil, arguments, rule = FAULTS[name]
    spoil(data)
    shipped = (ROOT / "configs" / "hyp.scratch-low.yaml").read_text()
    Path("bad.yaml").write_text(shipped.replace("box: 0.05", "box: -1"))
    Path("tight.yaml").write_text(shipped.replace("anchor_t: 4.0", "anchor_t: 1.2"))
    Path("model.yaml").write_text("nc: 12\nstrides: [8, 16, 32]\nanchors:\n  - [10, 13, 16]\n  - [30, 61]\n  - [116, 90]\n")
    code, rules = as_json(check, "vegetables/data.yaml", *arguments)
    assert code == 1
    assert rule in rules


def test_every_split_is_read_and_targets_are_those_that_are_trained(check: Run, capsys: pytest.CaptureFixture[str]) -> None:
    body = json.loads(check("vegetables/data.yaml", "--format", "json")[1])
    entry.run(["inspect", "targets", "vegetables/data.yaml", "--format", "json", "--no-cache"])
    targets = json.loads(capsys.readouterr().out)
    assert body["labels"]["images"] == 34
    assert (body["assignment"], body["levels"]) == (targets["assignment"], targets["levels"])


@pytest.mark.parametrize(("options", "term"), [([], "obj"), (["--model", "yolo11n", "cls_pw=1"], "cls")])
def test_shares_are_those_of_compute(options: list[str], term: str, check: Run, capsys: pytest.CaptureFixture[str]) -> None:
    body = json.loads(check("vegetables/data.yaml", *options, "--format", "json", "--max-share", f"{term}=99%")[1])
    entry.run(["compute", "vegetables/data.yaml", *options, "--format", "json", "--no-cache"])
    loss = json.loads(capsys.readouterr().out)
    assert body["terms"] == loss["terms"]
    whole = sum(one["value"] for one in loss["terms"] if one["name"] == term) / loss["totals"]["total"]
    assert body["gate"]["figures"][f"share/{term}"] == pytest.approx(whole, rel=1e-6)


def test_select_and_ignore(data: Path, check: Run) -> None:
    spoil_row(data)
    assert as_json(check, "vegetables/data.yaml", "--select", "DET4")[0] == 0
    assert set(as_json(check, "vegetables/data.yaml", "--select", "column-count,DET402")[1]) == {"column-count", "slot-collision"}
    assert as_json(check, "vegetables/data.yaml", "--ignore", "det1")[0] == 0
    code, _, err = check("vegetables/data.yaml", "--select", "DET409x")
    assert (code, err) == (2, "detloss: --select: no finding is called DET409x (did you mean DET609?)\n")
