"""Boxes that yolov8 refuses or leaves without a cell, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest
from yolov8_heads import HYP, boxes_of, compute, head_of, random_head

from detloss_cli.errors import DetlossError
from detloss_cli.families import yolov8
from detloss_cli.predictions.interface import DensePredictions


def test_refused_boxes() -> None:
    head = head_of()
    wrong = boxes_of([(0, 3, 40, 40, 30, 30), (0, -1, 40, 40, 30, 30), (0, -4, 40, 40, 30, 30)])
    found = yolov8.refused(head, HYP, wrong, profile="8.3.0")
    assert {gt: reason.key for gt, reason in found.items()} == {0: "class_out_of_range", 2: "class_out_of_range"}
    unsorted = boxes_of([(1, 0, 40, 40, 30, 30), (0, 0, 40, 40, 30, 30)], 2)
    assert yolov8.refused(head, HYP, unsorted, profile="8.3.200") == {}
    assert yolov8.refused(head, HYP, unsorted, profile="8.4.190")[1].key == "out_of_order"
    with pytest.raises(DetlossError, match="box 0: class 3 of 3"):
        yolov8.assign(head, HYP, wrong, DensePredictions(random_head(head, 1)), profile="8.3.0")


@pytest.mark.parametrize(
    ("rows", "key", "text"),
    [
        ([(0, 0, 64, 64, 4, 4)], "no_centre_inside", "4x4 px: no cell centre inside"),
        ([(0, 0, -40, -40, 20, 20)], "taken_for_padding", "corners sum to -160 px"),
    ],
)
def test_reasons_that_need_no_predictions(rows: list[tuple[float, ...]], key: str, text: str) -> None:
    head = head_of()
    targets = boxes_of(rows)
    assignment, _ = compute(head, targets, DensePredictions(random_head(head, 1)), profile="8.3.0")
    reason = yolov8.reasons(head, HYP, targets, assignment, profile="8.3.0")[0]
    assert reason.key == key
    assert text in reason.text


def test_a_twin_loses_to_the_first_of_two_equal_boxes() -> None:
    head = head_of()
    twins = boxes_of([(0, 0, 64, 64, 60, 60), (0, 0, 64, 64, 60, 60)])
    assignment, _ = compute(head, twins, DensePredictions(random_head(head, 1)))
    found = yolov8.reasons(head, HYP, twins, assignment, profile="8.4.190")
    assert {gt: reason.key for gt, reason in found.items()} == {1: "lost_to_other_box"}
    assert "each of the 10 cells it took goes to another box, the best to box 0 with CIoU" in found[1].text


@pytest.mark.parametrize(("side", "key"), [(1270, "beyond_reach"), (600, "not_in_top_k")])
def test_boxes_that_took_no_cell(side: int, key: str) -> None:
    head = head_of(1280)
    targets = boxes_of([(0, 0, 640, 640, side, side)], side=1280)
    assignment, _ = compute(head, targets, DensePredictions(random_head(head, 1)))
    none = {name: getattr(assignment, name)[:0] for name in ("level", "image", "anchor", "row", "col", "gt")}
    reason = yolov8.reasons(head, HYP, targets, replace(assignment, **none), profile="8.4.190")[0]
    assert reason.key == key
    assert f"best metric {float(assignment.of_targets['best_metric'][0]):.3g}" in reason.text
