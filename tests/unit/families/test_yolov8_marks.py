"""What yolov8 costs a fresh head, one that knows the base rate, and one that knows its boxes."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from yolov8_heads import HYP, SOME, boxes_of, compute, head_of, random_head

from detloss_cli.families import yolov8
from detloss_cli.families.interface import BatchTargets
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.predictions.synthetic import ConstantHead


def test_prior() -> None:
    head = head_of(640, classes=20)
    for level, bias in zip(head.levels, yolov8.prior(head, HYP, "8.4.190"), strict=True):
        assert bias.shape == (1, 84)
        assert bias[0, :64].unique().tolist() == [1.0]
        assert bias[0, 64:].unique().tolist() == pytest.approx([math.log(5 / 20 / (640 / level.stride) ** 2)])


def test_constant_heads_cost_what_their_planes_cost() -> None:
    """The closed form of a background equals the dense sum."""
    head, targets = head_of(), boxes_of(SOME, 2)
    constant = ConstantHead(yolov8.prior(head, HYP, "8.4.190"), head.levels, 2)
    dense = DensePredictions([constant.dense(index) for index in range(3)])
    assignment, one = compute(head, targets, constant)
    other = yolov8.loss(head, HYP, targets, dense, assignment, profile="8.4.190")
    for a, b in zip(one.terms, other.terms, strict=True):
        torch.testing.assert_close(a.value, b.value)
    assert len(assignment) > 0


@pytest.mark.parametrize("end2end", [False, True])
def test_base_rate_costs_least(end2end: bool) -> None:
    head, targets = head_of(end2end=end2end), boxes_of(SOME, 2)
    prior = ConstantHead(yolov8.prior(head, HYP, "8.4.190"), head.levels, 2)
    assignment = yolov8.assign(head, HYP, targets, prior, profile="8.4.190")
    fitted = yolov8.base_rate(head, HYP, "8.4.190", [BatchTargets(targets, assignment)])

    def cost(logits: tuple[Tensor, ...]) -> float:
        constant = ConstantHead(logits, head.levels, 2)
        return float(yolov8.loss(head, HYP, targets, constant, assignment, profile="8.4.190").item("cls"))

    least = cost(fitted)
    assert least < cost(yolov8.prior(head, HYP, "8.4.190"))
    for index in range(len(head.levels)):
        for channel in range(64, 67):
            for step in (-0.1, 0.1):
                moved = [bias.clone() for bias in fitted]
                moved[index][0, channel] += step
                rise = cost(tuple(moved)) - least
                assert rise > 0 if fitted[index][0, channel] > -20 else rise > -1e-9  # a class that never occurs ends at the limit


def test_base_rate_weighs_batches_as_their_terms_are() -> None:
    """A batch with a large sum of scores divides its term by it, and so counts for less in the mean over batches."""
    head = head_of()
    answers = random_head(head, 2)
    batches = []
    for rows, scale in ((SOME, 5.0), (SOME[:1], 0.1)):
        targets = boxes_of(list(rows), 2)
        found = yolov8.assign(head, HYP, targets, DensePredictions(answers), profile="8.4.190")
        score = torch.full_like(found.extra["score"], scale / 5)
        batches.append(BatchTargets(targets, replace(found, extra={**found.extra, "score": score})))
    fitted = yolov8.base_rate(head, HYP, "8.4.190", batches)

    def cost(logits: tuple[Tensor, ...]) -> float:
        constant = ConstantHead(logits, head.levels, 2)
        parts = [yolov8.loss(head, HYP, b.targets, constant, b.assignment, profile="8.4.190").item("cls") for b in batches]
        return float(sum(parts))

    for channel in range(64, 67):
        if fitted[0][0, channel] > -20:
            for step in (-0.01, 0.01):
                moved = [bias.clone() for bias in fitted]
                moved[0][0, channel] += step
                assert cost(tuple(moved)) > cost(fitted)


@pytest.mark.parametrize("reg_max", [16, 1])
@pytest.mark.parametrize("end2end", [False, True])
def test_perfect_costs_next_to_nothing(reg_max: int, end2end: bool) -> None:
    head, targets = head_of(reg_max=reg_max, end2end=end2end), boxes_of(SOME, 2)
    predictions = DensePredictions(random_head(head, 2))
    assignment, breakdown = compute(head, targets, predictions)
    perfect = yolov8.perfect(head, HYP, "8.4.190", targets, assignment)
    answered = yolov8.loss(head, HYP, targets, perfect, assignment, profile="8.4.190")
    assert float(answered.item("box")) < 1e-5
    assert float(answered.total) < float(breakdown.total)
    if reg_max == 1:
        assert float(answered.item("dfl")) == pytest.approx(0)
    dense = DensePredictions([perfect.dense(index) for index in range(len(head.levels))])
    torch.testing.assert_close(yolov8.loss(head, HYP, targets, dense, assignment, profile="8.4.190").total, answered.total)
