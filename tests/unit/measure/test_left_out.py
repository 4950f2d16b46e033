"""Boxes that the trainer leaves out: which rows, at which line, and how they are counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detloss_cli import families
from detloss_cli.diagnose import loss as diagnose
from detloss_cli.facts import Facts
from detloss_cli.finding import Finding
from detloss_cli.inputs.head import Head, Level
from detloss_cli.inputs.labels import Images, Labels
from detloss_cli.measure.left_out import beyond_most, refused
from detloss_cli.resolve import Request


def labels_of(per_image: list[int]) -> Labels:
    count, images = sum(per_image), len(per_image)
    names = tuple(f"{i}.txt" for i in range(images))
    sizes = np.zeros(images, dtype=np.int32)
    image = np.repeat(np.arange(images), per_image)
    line = np.concatenate([np.arange(1, n + 1) for n in per_image]).astype(np.int32) if count else np.zeros(0, np.int32)
    boxes = np.tile(np.array([[0.5, 0.5, 0.1, 0.1]], dtype=np.float32), (count, 1))
    return Labels(image, np.zeros(count, np.int64), boxes, line, Images(names, names, ("train",) * images, sizes, sizes), ("a",))


def written(folder: Path, text: str) -> str:
    (folder / "labels").mkdir(exist_ok=True)
    (folder / "labels" / "a.txt").write_text(text)
    return str(folder)


def run(folder: str, **given: object) -> tuple[Facts, list[Finding]]:
    return diagnose.compute(Request(data=(folder,), names="a,b", device="cpu", **given))  # type: ignore[arg-type]


def places(findings: list[Finding], code: str) -> list[tuple[int | None, str]]:
    return [(found.where.line if found.where else None, found.message) for found in findings if found.code == code]


def test_rows_after_the_first_twenty_of_each_image() -> None:
    family = families.load("keras-yolo3")
    rows, faults = beyond_most(family, family.Hyp(), labels_of([3, 22, 20, 21]))
    assert rows == [23, 24, 65]
    assert [(fault.path, fault.line, fault.token, fault.detail) for fault in faults] == [
        ("1.txt", 21, "2 boxes", "20"),
        ("3.txt", 21, "1 box", "20"),
    ]
    assert beyond_most(families.load("yolov5"), None, labels_of([30])) == ([], [])


def test_what_max_boxes_leaves_out_is_counted_as_lost(tmp_path: Path) -> None:
    rows = "".join(f"{i % 2} {0.02 + 0.04 * i:.3f} 0.5 0.03 0.05\n" for i in range(24))
    facts, findings = run(written(tmp_path, rows), family="keras-yolo3")
    assert facts.labels is not None
    assert facts.assignment is not None
    assert facts.labels.lost.by_rule == {"beyond-max-boxes": 4}
    assert (facts.labels.rows, facts.labels.kept, facts.labels.lost.rows) == (24, 20, 4)
    assert facts.labels.kept == facts.assignment.boxes == sum(one.boxes for one in facts.labels.classes)
    assert places(findings, "DET406") == [(21, "4 boxes from here on are left out: the trainer keeps 20 a picture")]


@pytest.mark.parametrize(
    ("family", "profile", "says"),
    [
        ("yolov5", "1.0", "IndexError"),
        ("yolov5", "3.1", "IndexError"),
        ("yolov5", "4.0", None),
        ("yolov5", "7.0", None),
        ("yolov3-spp", "wzm-preclamp", "IndexError"),
        ("yolov3-spp", "v7", "IndexError"),
        ("yolov3-spp", "wzm", None),
        ("yolov3-spp", "archive", None),
        ("keras-yolo3", "master", "IndexError"),
        ("centernet", "xingyizhou", None),
        ("centernet", "zzzxxxttt", None),
        ("cornernet", "unclipped", "lie off the 128x128 map"),
        ("cornernet", "e5c39a3", None),
    ],
)
def test_a_centre_at_the_right_edge(family: str, profile: str, says: str | None, tmp_path: Path) -> None:
    """What the released code did with x = 1.0: IndexError, or a loss."""
    facts, findings = run(written(tmp_path, "0 0.5 0.5 0.2 0.2\n0 1.0 0.5 0.2 0.2\n"), family=family, profile=profile)
    found = places(findings, "DET404")
    assert facts.loss is not None
    assert facts.labels is not None
    assert facts.assignment is not None
    assert np.isfinite(facts.loss.totals["total"])
    assert facts.labels.lost.by_rule == ({"box-refused": 1} if says else {})
    assert facts.assignment.boxes == (1 if says else 2)
    assert [line for line, _ in found] == ([2] if says else [])
    assert all(str(says) in message for _, message in found)


def test_more_objects_than_max_objs(tmp_path: Path) -> None:
    """zzzxxxttt raises IndexError, xingyizhou ignores the rest."""
    hyp = tmp_path / "hyp.yaml"
    hyp.write_text("max_objs: 2\nhm_weight: 1.0\nwh_weight: 0.1\noff_weight: 1.0\nmin_overlap: 0.7\n")
    folder = written(tmp_path, "".join(f"0 0.{i} 0.5 0.05 0.05\n" for i in range(2, 6)))
    facts, findings = run(folder, family="centernet", profile="zzzxxxttt", hyp=str(hyp))
    assert [line for line, _ in places(findings, "DET404")] == [3, 4]
    facts, findings = run(folder, family="centernet", profile="xingyizhou", hyp=str(hyp))
    assert places(findings, "DET404") == []
    assert facts.assignment is not None
    assert facts.assignment.by_reason == {"max_objs": 2}


@pytest.mark.parametrize(
    ("rows", "total", "lines"),
    [
        ("0 0.5 0.5 0.2 0.0\n", np.inf, [1]),
        ("0 0.2 0.2 0.1 0.1\n0 0.4 0.4 0.0 0.1\n0 0.7 0.7 0.1 0.1\n", np.inf, [2]),  # the anchor of the next box
        ("0 0.2 0.2 0.1 0.1\n0 0.4 0.4 0.0 0.1\n", None, []),  # trailing: no anchor is left for it
    ],
)
def test_a_box_without_size_makes_keras_yolo3_infinite(rows: str, total: float | None, lines: list[int], tmp_path: Path) -> None:
    facts, findings = run(written(tmp_path, rows), family="keras-yolo3")
    assert facts.loss is not None
    assert [line for line, _ in places(findings, "DET405")] == lines
    assert all(found.severity == "error" for found in findings if found.code == "DET405")
    assert facts.loss.totals["wh"] == total if total is not None else np.isfinite(facts.loss.totals["wh"])


def test_the_only_positive_of_a_level_stops_the_sort_of_6_2_and_later() -> None:
    family = families.load("yolov5")
    head = Head("one", (Level("P4", 16, 8, 8, ((16.0, 16.0),)),), 2, (128, 128))
    import torch

    from detloss_cli.targets.assignment import Targets

    targets = Targets(torch.zeros(1, dtype=torch.long), torch.zeros(1, dtype=torch.long), torch.tensor([[4.5 / 8, 4.5 / 8, 0.12, 0.12]]), 1)
    for profile, sort, found in (("7.0", True, [0]), ("6.2", True, [0]), ("6.1", True, []), ("6.0", True, []), ("7.0", False, [])):
        hyp = family.Hyp(sort_obj_iou=sort)
        assignment = family.assign(head, hyp, targets, profile=profile)
        assert len(assignment) == 1
        assert list(family.stops(head, hyp, targets, assignment, profile=profile)) == found


def test_an_empty_set_refuses_nothing() -> None:
    family = families.load("yolov5")
    head = Head("one", (Level("P4", 16, 8, 8, ((16.0, 16.0),)),), 2, (128, 128))
    empty = labels_of([0])
    assert refused(family, "1.0", head, family.Hyp(), empty, empty.boxes) == ([], [])


def test_a_tiny_head_shows_the_anchors_that_its_levels_really_take(tmp_path: Path) -> None:
    facts, _ = run(written(tmp_path, "0 0.5 0.5 0.2 0.2\n"), family="keras-yolo3", model="keras-yolo3-tiny")
    taken = {level.stride: level.anchors for level in facts.levels or ()}
    assert taken == {16: ((23, 27), (37, 58), (81, 82)), 32: ((81, 82), (135, 169), (344, 319))}
