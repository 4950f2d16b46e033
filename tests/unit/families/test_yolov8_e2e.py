"""End-to-end heads of yolov8: two branches, and what each takes."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from yolov8_heads import HYP, SOME, boxes_of, compute, head_of, random_head

from detloss_cli.errors import DetlossError
from detloss_cli.families import yolov8
from detloss_cli.predictions.interface import DensePredictions


def test_end_to_end_heads_train_two_branches() -> None:
    head, targets = head_of(reg_max=1, end2end=True), boxes_of(SOME, 2)
    assert [level.name for level in head.levels] == ["P3", "P4", "P5", "P3 1:1", "P4 1:1", "P5 1:1"]
    assert yolov8.outputs(head, "8.4.190") is head
    assignment, breakdown = compute(head, targets, DensePredictions(random_head(head, 2)))
    second = assignment.gt[assignment.level >= 3]
    assert 0 < len(second) == len(second.unique()) <= 4
    assert {term.gain for term in breakdown.terms if term.level < 3} == {7.5 * 0.8, 0.5 * 0.8, 1.5 * 0.8}
    assert [gain.used for gain in yolov8.gain_ledger(HYP, head, "8.4.190")] == pytest.approx([6, 0.4, 1.2, 1.5, 0.1, 0.3])
    shown = yolov8.items(head, HYP, breakdown, "8.4.190")
    wanted = sum(term.raw * 7.5 for term in breakdown.terms if term.name == "box" and term.level >= 3)
    torch.testing.assert_close(shown[0], wanted)


def test_end_to_end_heads_need_a_release_that_has_them() -> None:
    head = head_of(end2end=True)
    with pytest.raises(DetlossError, match="no end-to-end heads"):
        yolov8.branches(head, HYP, "8.1")
    with pytest.raises(ValueError, match="levels of both branches"):
        yolov8.branches(replace(head, levels=head.levels[:3]), HYP, "8.4.190")


def test_reach_of_an_end_to_end_head_is_that_of_one_branch() -> None:
    one, two = head_of(), head_of(end2end=True)
    targets = boxes_of(SOME, 2)
    assert yolov8.reach(one, targets, "8.4.190").cells.tolist() == yolov8.reach(two, targets, "8.4.190").cells.tolist()


def test_a_box_takes_seven_cells_of_the_second_branch_and_keeps_one() -> None:
    head = head_of(reg_max=1, end2end=True)
    targets = boxes_of([(0, 0, 64, 64, 100, 100)])
    assignment, _ = compute(head, targets, DensePredictions(random_head(head, 1)))
    assert assignment.of_targets["picked"].tolist() == [10]
    assert assignment.of_targets["one_to_one_picked"].tolist() == [7]
    assert int((assignment.level >= 3).sum()) == 1
