"""Rectangular batches wherever else boxes are counted or shown: validation, the gate, reach, other sizes, one picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rect_loop import FAMILIES, SIDE, SIZE, TRAIN, VAL, figures, head_of, looped, request_of, shipped, targets_of, written

from detloss_cli import families
from detloss_cli.diagnose.gate import Gate, check
from detloss_cli.diagnose.loss import inspect_targets
from detloss_cli.geometry.rect import batch_shapes
from detloss_cli.resolve import setup
from detloss_cli.scene import stage
from detloss_cli.targets.assignment import Targets


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return written(tmp_path)


def test_validation_pictures_have_half_a_stride_more_and_are_not_enlarged(data: Path) -> None:
    loops = looped(data, "val", VAL, 0.5, ceil=False)
    facts, _ = inspect_targets(request_of(data, "yolov5", "inspect targets", split="val"))
    assert facts.settings is not None
    assert [shape.imgsz for shape in facts.settings.shapes for _ in range(shape.batches)] == [(loop.height, loop.width) for loop in loops]
    assert max(loop.width for loop in loops) > SIDE
    family = families.load("yolov5")
    parts = [family.assign(head_of(family, loop), shipped(data, "yolov5"), targets_of(family, loop), profile="7.0") for loop in loops]
    assert figures(facts)[0] == [sum(int((part.level == index).sum()) for part in parts) for index in range(3)]


@pytest.mark.parametrize("name", FAMILIES)
def test_the_gate_counts_as_the_targets_are_counted(name: str, data: Path) -> None:
    """It reads every split and keeps the training's: the batches of one split hold no picture of another."""
    checked, _ = check(request_of(data, name, "check"), Gate())
    targets, _ = inspect_targets(request_of(data, name, "inspect targets"))
    assert checked.levels == targets.levels
    assert checked.assignment == targets.assignment
    assert checked.collisions == targets.collisions
    assert checked.settings is not None
    assert targets.settings is not None
    assert checked.settings.shapes == targets.settings.shapes


def test_what_labels_alone_decide_is_counted_in_the_shape_of_each_batch(data: Path) -> None:
    facts, _ = inspect_targets(request_of(data, "yolov8", "inspect targets"))
    family, inside = families.load("yolov8"), []
    for loop in looped(data, "train", TRAIN, 0.0, getattr(family, "LETTERBOX", "floor") == "ceil"):
        targets = targets_of(family, loop)
        plain = Targets(*(column.numpy() for column in (targets.image, targets.cls, targets.boxes)), targets.images, targets.frame)
        test = family.open_slots(head_of(family, loop), family.Hyp(), plain, profile=list(family.PROFILES)[-1])[0]
        inside.append((test.slots > 0).sum(axis=0))
    assert facts.reach is not None
    assert list(facts.reach.tests[0].by_level) == np.sum(inside, axis=0).tolist()


def test_another_input_size_has_shapes_of_its_own(data: Path) -> None:
    request = request_of(data, "yolov8", "inspect targets")
    scene = stage(request, setup(request))
    views = scene.views("8.1", (2 * SIDE, 2 * SIDE))
    ratios = sorted(height / width for width, height in TRAIN)
    shapes = batch_shapes(np.asarray(ratios), SIZE, 2 * SIDE, 32, 0.0).tolist()
    assert [list(head.imgsz) for head, own, _ in views for _ in range(-(-len(own.images) // SIZE))] == shapes
    for head, own, network in views:
        for image, box in zip(own.image.tolist(), network, strict=True):
            side = max(int(own.images.width[image]), int(own.images.height[image]))
            left = (head.imgsz[1] - int(own.images.width[image]) * 2 * SIDE / side) / 2
            assert box[0] * head.imgsz[1] >= left - 1
        assert len(network) == len(own)


def test_one_picture_is_shown_in_the_shape_of_its_batch(data: Path) -> None:
    loop = next(loop for loop in looped(data, "val", VAL, 0.5, ceil=False) if 3 in loop.pictures)
    facts, _ = inspect_targets(request_of(data, "yolov5", "inspect targets", split="val", image="val_03"))
    assert facts.image is not None
    assert facts.image.imgsz == (loop.height, loop.width)
    height = int(313 * SIDE / 1000)
    left, top = (loop.width - SIDE) / 2, (loop.height - height) / 2
    assert facts.image.placed == (left, top, left + SIDE, top + height)
    own = loop.boxes[loop.image == loop.pictures.index(3)]
    np.testing.assert_allclose(facts.image.boxes_xyxy, own, atol=2e-3)
