"""What splits share or lack, and what a loader does unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from detloss_cli.checks.labels import label_findings
from detloss_cli.finding import Finding
from detloss_cli.inputs.dataset import read_dataset
from detloss_cli.inputs.dataspec import DataSpec

GOOD = "0 0.5 0.5 0.25 0.5\n"


def findings(
    root: Path, *, loader: str = "strict", names: tuple[str, ...] = ("a", "b"), splits: tuple[str, ...] = ("train", "val")
) -> list[Finding]:
    spec = DataSpec("d.yaml", str(root), {split: (str(root / split),) for split in splits}, names, len(names), "names", "yaml")
    return sorted(label_findings(read_dataset(spec, splits, loader, num_classes=None, sizes=False)), key=Finding.sort_key)


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_classes_that_a_split_lacks(tmp_path: Path) -> None:
    write(tmp_path, {"train/a.txt": "0 .5 .5 .2 .2\n2 .5 .5 .3 .4\n", "val/b.txt": "0 .5 .5 .2 .2\n1 .2 .2 .2 .2\n"})
    found = {(finding.rule, finding.message) for finding in findings(tmp_path, names=("a", "b", "c", "d", "e"))}
    assert found == {
        ("class-never-trained", "class 1 b has no box in train, but 1 in val"),
        ("class-not-in-split", "class 2 c has no box in val"),
        ("unused-names", "no box of class 3 d, 4 e"),
    }


def test_a_split_without_boxes_lacks_no_class(tmp_path: Path) -> None:
    write(tmp_path, {"train/a.txt": GOOD, "val/b.txt": ""})
    assert [finding.rule for finding in findings(tmp_path, names=("a",))] == []


def test_copies_are_told_once_a_picture(tmp_path: Path) -> None:
    copies = [f"p_jpg.rf.{digit * 32}.txt" for digit in "abcd"]
    write(tmp_path, {f"{split}/{name}": GOOD for split, name in zip(("train", "train", "val", "val"), copies, strict=True)})
    (found,) = findings(tmp_path, names=("a",))
    assert (found.rule, found.message) == ("augmented-copies", "copies of 'p_jpg' are in train and val")


@pytest.mark.parametrize(
    ("loader", "text", "rule", "line"),
    [
        ("yolov5-7.0", GOOD + "0 1.5 .5 .1 .1\n", "loader-drops-image", None),
        ("yolov3-spp", GOOD + "0,.5,.5,.1,.1\n", "loader-takes-for-background", None),
        ("yolov3-spp", GOOD + "0 1.5 .5 .1 .1\n", "loader-stops", None),
        ("yolov5-7.0", GOOD + "2 .5 .5 .1 .1\n", "loader-stops", 2),
        ("yolov7", "0 .1 .1 .4 .1 .4 .4 .1 .4\n" + GOOD, "loader-misreads", 2),
        ("ultralytics-8.4", GOOD + GOOD, "loader-removes-repeat", 2),
        ("ultralytics-8.4", GOOD + "0 1.005 .5 .1 .1\n", "loader-accepts", 2),
    ],
)
def test_fates(tmp_path: Path, loader: str, text: str, rule: str, line: int | None) -> None:
    write(tmp_path, {"train/a.txt": text})
    found = [finding for finding in findings(tmp_path, loader=loader, splits=("train",)) if finding.rule.startswith("loader-")]
    assert [(finding.rule, finding.where.line if finding.where else None) for finding in found] == [(rule, line)]
    assert not [finding for finding in findings(tmp_path, splits=("train",)) if finding.rule.startswith("loader-")]
