"""Nothing is left unexplained: every row is kept or lost by a rule, every kept box has positives or a reason."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detloss_cli.diagnose.loss import inspect_targets
from detloss_cli.facts import Facts
from detloss_cli.resolve import Request

ROOT = Path(__file__).parents[3]
DATASETS = Path(os.environ.get("DETLOSS_DATASETS", ROOT.parent / "shared" / "datasets"))
SAMPLE = ROOT / "sample_data" / "vegetables" / "data.yaml"
SETS = (
    "barcodes", "cells_dense", "coco256", "coco_seg200", "deeppcb_pixel", "deeppcb_yolo", "egypt_moto_plates", "particles", "ppe_small",
    "rice_pest_mixed", "ships_dirty", "vegetables_crlf",
)  # fmt: skip
FAMILIES = ("yolov5", "yolov7", "yolov3-spp", "keras-yolo3", "centernet", "cornernet", "yolox", "fcos", "retinanet", "detr", "yolov8")
WITHOUT_PREDICTIONS = ("yolov5", "yolov3-spp", "keras-yolo3", "centernet", "fcos")


def hold(facts: Facts) -> None:
    """Whatever the data: all figures add up."""
    labels, assignment, boxes = facts.labels, facts.assignment, facts.boxes
    assert labels is not None
    assert assignment is not None
    assert boxes is not None
    assert labels.kept + labels.lost.rows == labels.rows
    assert sum(labels.lost.by_rule.values()) == labels.lost.rows
    got = int((boxes.positives.sum(axis=1) > 0).sum())
    assert len(boxes.line) == assignment.boxes == labels.kept
    assert got + assignment.unassigned == labels.kept
    for groups in (assignment.by_reason, assignment.by_size, assignment.by_class, assignment.by_aspect):
        assert sum(groups.values()) == assignment.unassigned
    without = boxes.positives.sum(axis=1) == 0
    assert [bool(reason) for reason in boxes.reason] == without.tolist()
    assert all(text for text, bare in zip(boxes.text, without, strict=True) if bare)
    assert int(boxes.positives.sum()) == assignment.positives == sum(level.positives for level in facts.levels or ())
    assert int(boxes.slots.sum()) == assignment.positives - assignment.collision_rows
    assert int(((boxes.slots == 0) & ~without).sum()) == assignment.boxes_without_slot
    histogram = np.asarray(assignment.per_box_histogram, dtype=np.int64)
    assert int(histogram.sum()) == assignment.boxes
    assert int(histogram @ np.arange(len(histogram))) == assignment.positives


@pytest.mark.parametrize("family", FAMILIES)
def test_on_the_carried_sample(family: str) -> None:
    facts, _ = inspect_targets(Request("inspect targets", (str(SAMPLE),), family=family, split="val"))
    hold(facts)
    assert facts.assignment is not None
    assert facts.assignment.boxes == 86


@pytest.mark.parametrize("key", ["unassigned", "positives", "boxes", "boxes_without_slot", "collision_rows"])
def test_a_figure_that_is_off_by_one_is_noticed(key: str) -> None:
    facts, _ = inspect_targets(Request("inspect targets", (str(SAMPLE),), split="val"))
    assert facts.assignment is not None
    wrong = replace(facts.assignment, **{key: getattr(facts.assignment, key) + 1})
    with pytest.raises(AssertionError):
        hold(replace(facts, assignment=wrong))


@pytest.mark.parametrize("imgsz", [96, 256])
def test_where_boxes_are_too_small(imgsz: int) -> None:
    facts, _ = inspect_targets(Request("inspect targets", (str(SAMPLE),), imgsz=(imgsz, imgsz)))
    hold(facts)
    assert facts.assignment is not None
    assert facts.assignment.unassigned > 0


@pytest.mark.parametrize("family", WITHOUT_PREDICTIONS)
@pytest.mark.parametrize("name", SETS)
def test_on_public_sets(name: str, family: str) -> None:
    if not (DATASETS / name).is_dir():
        pytest.skip(f"{name} is not at hand")
    source = json.loads((DATASETS / name / "SOURCE.json").read_text())
    sizes = DATASETS / name / "image_sizes.json"
    request = Request(
        "inspect targets",
        (str(DATASETS / name / "labels"),),
        family=family,
        names=str(source["nc"] or 6),
        image_sizes=str(sizes) if sizes.exists() else None,
    )
    facts, _ = inspect_targets(request)
    hold(facts)
    assert facts.labels is not None
    assert facts.labels.rows > 0
