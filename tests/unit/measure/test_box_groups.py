"""Boxes by group: whatever the group, nothing is counted twice and nothing is left out."""

from __future__ import annotations

import os
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detloss_cli.cli import grouping
from detloss_cli.diagnose.loss import compute, inspect_targets
from detloss_cli.facts import Facts
from detloss_cli.facts.box_groups import BoxGroup
from detloss_cli.inputs.labels import Images, Labels
from detloss_cli.measure.box_groups import KINDS, box_groups
from detloss_cli.resolve import Request

SAMPLE = Path(__file__).parents[3] / "sample_data" / "vegetables" / "data.yaml"
SMALL = (192, 192)  # px of the input, at which some boxes get no positive


def run(command: Any, by: str, family: str = "yolov5", **more: Any) -> Facts:
    facts, _ = command(Request("x", (str(SAMPLE),), family=family, device="cpu", by=by, **more))
    assert isinstance(facts, Facts)
    return facts


def every(facts: Facts) -> list[BoxGroup]:
    assert facts.groups is not None
    return [*facts.groups.rows, *([facts.groups.rest] if facts.groups.rest is not None else [])]


def test_the_command_line_knows_the_same_kinds() -> None:
    assert grouping.KINDS == KINDS


@pytest.mark.parametrize("family", ["yolov5", "keras-yolo3", "centernet", "yolov8", "detr"])
@pytest.mark.parametrize("by", KINDS)
def test_groups_add_up_to_the_run(by: str, family: str) -> None:
    facts = run(compute, by, family, imgsz=None if family in ("centernet", "detr") else SMALL, top=5)
    groups, assignment, loss = facts.groups, facts.assignment, facts.loss
    assert groups is not None
    assert assignment is not None
    assert loss is not None
    assert sum(group.positives for group in every(facts)) == assignment.positives
    if by != "level":
        assert sum(group.boxes for group in every(facts)) == assignment.boxes
        assert sum(group.without or 0 for group in every(facts)) == assignment.unassigned
    for term in {term.name for term in loss.terms}:
        told = sum(group.loss.get(term, 0) for group in every(facts)) + groups.empty_cells.get(term, 0)
        assert told == pytest.approx(loss.totals[term], rel=1e-6, abs=1e-9), term


@pytest.mark.parametrize("top", [1, 4, 10_000])
@pytest.mark.parametrize("by", ["class", "folder", "image", "box"])
def test_top_keeps_the_first_of_the_same_order(by: str, top: int) -> None:
    whole, some = run(compute, by, top=10_000).groups, run(compute, by, top=top).groups
    assert whole is not None
    assert some is not None
    assert whole.rest is None
    assert some.rows == whole.rows[:top]
    assert some.number == whole.number == len(whole.rows)
    totals = [sum(group.loss.values()) for group in whole.rows]
    assert totals == sorted(totals, reverse=True)


@pytest.mark.parametrize("by", ["class", "size", "image"])
def test_each_group_against_a_count_box_by_box(by: str) -> None:
    facts = run(inspect_targets, by, imgsz=SMALL, top=1000)
    boxes = facts.boxes
    assert boxes is not None
    classes = facts.labels.classes if facts.labels is not None else ()
    found: dict[str, list[int]] = {}
    for index in range(len(boxes.line)):
        side = float(boxes.width[index] * boxes.height[index]) ** 0.5
        image = os.path.relpath(boxes.path[index], SAMPLE.parent).replace("labels", "images").replace(".txt", ".jpg")
        size = "small <32" if side < 32 else "medium <96" if side < 96 else "large"
        found.setdefault({"class": classes[int(boxes.cls[index])].name, "size": size, "image": image}[by], []).append(index)
    told = {group.name: group for group in every(facts) if group.boxes}
    assert set(told) == set(found)
    assert facts.assignment is not None
    assert facts.assignment.unassigned == 10
    for name, own in found.items():
        rows = boxes.positives[own].sum(axis=1)
        median = statistics.median(float(boxes.width[one] * boxes.height[one]) ** 0.5 for one in own)
        images = len({boxes.path[one] for one in own})
        group = told[name]
        assert (group.boxes, group.positives, group.without, group.images) == (len(own), rows.sum(), (rows == 0).sum(), images)
        assert group.median_px == pytest.approx(median, rel=1e-6)


def test_without_a_loss_those_that_train_least_come_first() -> None:
    facts = run(inspect_targets, "box", imgsz=SMALL, top=1000)
    rows = [group.positives for group in every(facts)]
    assert rows == sorted(rows)
    assert [bool(group.reason) for group in every(facts)] == [number == 0 for number in rows]
    without = [group.without or 0 for group in every(run(inspect_targets, "image", imgsz=SMALL, top=1000))]
    assert without == sorted(without, reverse=True)
    assert without[0] > without[-1]


def labels(path: tuple[str, ...], image: list[int], cls: list[int]) -> Labels:
    size = np.full(len(path), 640, dtype=np.int32)
    images = Images(path, path, ("train",) * len(path), size, size)
    return Labels(
        np.array(image, dtype=np.int64),
        np.array(cls, dtype=np.int64),
        np.zeros((len(image), 4), np.float32),
        np.arange(1, len(image) + 1),
        images,
        ("a",),
    )


def test_folders_and_images_without_boxes_and_names_count_too() -> None:
    facts = run(compute, "class")
    boxes, own = facts.boxes, facts.box_loss
    assert boxes is not None
    assert own is not None
    three = replace(
        boxes,
        **{name: getattr(boxes, name)[:3] for name in ("path", "line", "cls", "width", "height", "positives", "slots", "reason", "text")},
    )
    few = replace(facts, boxes=three, box_loss=replace(own, loss=own.loss[:3]))
    read = labels(("/d/one/a.txt", "/d/two/b.txt", "/d/two/c.txt"), [0, 0, 1], [0, 3, 3])
    assert {group.name: (group.images, group.boxes) for group in box_groups(few, read, "folder").rows} == {
        "/d/one": (1, 2),
        "/d/two": (2, 1),
    }
    assert [group.boxes for group in box_groups(few, read, "image").rows] == [2, 1, 0]
    assert {group.name: group.boxes for group in box_groups(few, read, "class").rows} == {"a": 1, "class_3": 2}


def test_what_is_no_number_comes_first() -> None:
    facts = run(compute, "image")
    own, boxes = facts.box_loss, facts.boxes
    assert own is not None
    assert boxes is not None
    loss = own.loss.copy()
    loss[-1, 0] = np.nan
    image = np.arange(len(boxes.line))
    read = labels(tuple(f"/d/{one}.txt" for one in image), image.tolist(), [0] * len(image))
    assert box_groups(replace(facts, box_loss=replace(own, loss=loss)), read, "image").rows[0].name == f"/d/{len(image) - 1}.txt"


def test_no_boxes_at_all() -> None:
    facts, _ = inspect_targets(Request("x", (str(SAMPLE),), classes=(0,), by="image"))
    for by in KINDS:
        groups = box_groups(facts, labels((), [], []), by)
        assert sum(group.boxes for group in groups.rows) == 0
        assert groups.rest is None


def test_another_word_is_a_mistake_of_the_programmer() -> None:
    with pytest.raises(ValueError, match="expected facts of boxes and one of class"):
        box_groups(run(compute, "class"), labels((), [], []), "anchor")
