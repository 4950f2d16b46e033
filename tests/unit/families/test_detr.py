"""DETR beyond the recorded cases: optimal pairs by trying all, refusals, reasons, marks."""

from __future__ import annotations

import math
from itertools import permutations

import pytest
import torch

from detloss_cli.errors import DetlossError
from detloss_cli.families import detr
from detloss_cli.families.interface import BatchTargets
from detloss_cli.inputs.head import Head, Level
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.predictions.synthetic import ConstantHead
from detloss_cli.targets.assignment import Assignment, Targets
from detloss_cli.targets.hungarian import MatchCosts, pair_costs

HEAD = Head("two", (Level("layer0", 1, 1, 5), Level("layer1", 1, 1, 5)), 3, (800, 800))
HYP = detr.Hyp()


def targets(*rows: tuple[float, ...], images: int = 1) -> Targets:
    table = torch.tensor(rows, dtype=torch.float64).reshape(-1, 6)
    return Targets(table[:, 0].long(), table[:, 1].long(), table[:, 2:], images, "cxcywh")


MANY = targets((0, 0, 0.2, 0.3, 0.1, 0.2), (2, 1, 0.5, 0.5, 0.6, 0.4), (0, 2, 0.7, 0.7, 0.2, 0.1), (2, 2, 0.1, 0.9, 0.1, 0.1), images=3)


def noise(images: int, seed: int = 5) -> DensePredictions:
    source = torch.Generator().manual_seed(seed)
    return DensePredictions([torch.rand(images, 1, 1, 5, 8, generator=source, dtype=torch.float64) * 0.9 + 0.05 for _ in HEAD.levels])


def prior(images: int) -> ConstantHead:
    return ConstantHead(detr.prior(HEAD, HYP, "head"), HEAD.levels, images)


def assign(given: Targets, predictions: object) -> Assignment:
    return detr.assign(HEAD, HYP, given, predictions, profile="head")


def loss(given: Targets, predictions: object, rows: Assignment) -> detr.LossBreakdown:
    return detr.loss(HEAD, HYP, given, predictions, rows, profile="head")


def test_no_other_pairs_cost_less() -> None:
    given = targets(*[(0, i % 3, 0.2 + 0.1 * i, 0.4, 0.1 + 0.05 * i, 0.2) for i in range(4)])
    predictions = noise(1)
    rows = assign(given, predictions)
    for layer in range(2):
        cost = pair_costs(predictions.dense(layer).reshape(5, 8), given.boxes, given.cls, detr.channels(HEAD), MatchCosts())
        least = min(float(cost[list(queries), range(4)].sum()) for queries in permutations(range(5), 4))
        assert float(rows.extra["cost"][rows.level == layer].sum()) == pytest.approx(least, rel=1e-12)
        assert rows.col[rows.level == layer].tolist() == sorted(rows.col[rows.level == layer].tolist())


def test_more_boxes_than_queries() -> None:
    given = targets(*[(0, i % 3, 0.1 + 0.1 * i, 0.4, 0.1, 0.2) for i in range(7)])
    rows = assign(given, noise(1))
    found = detr.reasons(HEAD, HYP, given, rows, profile="head")
    assert len(rows) == 2 * 5
    assert all(reason.key == "outranked_for_every_query" for reason in found.values())
    gt, reason = next(iter(found.items()))
    assert gt not in rows.gt.tolist()
    assert "7 boxes for 5 queries" in reason.text
    assert f"box {int(rows.of_targets['rival'][gt])}" in reason.text


def test_one_image_or_many_and_any_order() -> None:
    predictions = noise(3)
    whole = assign(MANY, predictions)
    alone = assign(
        targets((0, 1, 0.5, 0.5, 0.6, 0.4), (0, 2, 0.1, 0.9, 0.1, 0.1)), DensePredictions([predictions.dense(i)[2:] for i in range(2)])
    )
    chosen = whole.image == 2
    assert torch.tensor([1, 3])[alone.gt].tolist() == whole.gt[chosen].tolist()
    assert alone.col.tolist() == whole.col[chosen].tolist()
    back = assign(Targets(MANY.image.flip(0), MANY.cls.flip(0), MANY.boxes.flip(0), 3), predictions)
    assert (3 - back.gt).tolist() == whole.gt.tolist()
    assert back.col.tolist() == whole.col.tolist()


def test_without_boxes() -> None:
    none = targets(images=2)
    rows = assign(none, prior(2))
    breakdown = loss(none, prior(2), rows)
    assert len(rows) == 0
    assert float(breakdown.total) == pytest.approx(2 * math.log(4), rel=1e-12)
    assert breakdown.extra["class_error"] == 100


@pytest.mark.parametrize("width", [-0.1, float("nan")])
def test_a_negative_side_is_refused(width: float) -> None:
    with pytest.raises(DetlossError, match="box 0"):
        assign(targets((0, 0, 0.5, 0.5, width, 0.2)), noise(1))
    spoilt = noise(1)
    spoilt.dense(0)[0, 0, 0, 3, 2] = width
    with pytest.raises(DetlossError, match="query 3"):
        assign(targets((0, 0, 0.5, 0.5, 0.1, 0.2)), spoilt)


def test_costs_that_are_no_numbers_are_refused() -> None:
    spoilt = noise(1)
    spoilt.dense(0)[0, 0, 0, 3, 5] = float("nan")
    with pytest.raises(DetlossError, match="no number"):
        assign(targets((0, 0, 0.5, 0.5, 0.1, 0.2)), spoilt)
    with pytest.raises(DetlossError, match="assigns by prediction"):
        detr.assign(HEAD, HYP, MANY, profile="head")


def test_the_assignment_carries_no_gradient() -> None:
    raw = [noise(3).dense(i).requires_grad_() for i in range(2)]
    rows = assign(MANY, DensePredictions(raw))
    assert not rows.extra["cost"].requires_grad
    loss(MANY, DensePredictions(raw), rows).item("l1").backward()
    assert float(raw[1].grad[..., :4].abs().sum()) > 0
    assert float(raw[1].grad[..., 4:].abs().sum()) == 0


def test_marks_stand_in_order() -> None:
    rows = assign(MANY, noise(3))
    rate = ConstantHead(detr.base_rate(HEAD, HYP, "head", [BatchTargets(MANY, rows)]), HEAD.levels, 3)
    marks = [loss(MANY, head, rows) for head in (prior(3), rate, detr.perfect(HEAD, HYP, "head", MANY, rows))]
    fresh, frequent, perfect = (float(mark.item("cls")) for mark in marks)
    assert perfect < frequent < fresh
    assert perfect < 1e-5
    assert float(marks[2].item("l1")) == pytest.approx(0, abs=1e-12)
    assert float(marks[2].item("giou")) == pytest.approx(0, abs=1e-12)


def test_base_rate_is_a_minimum() -> None:
    rows = assign(MANY, noise(3))
    bias = [level.requires_grad_() for level in detr.base_rate(HEAD, HYP, "head", [BatchTargets(MANY, rows)])]
    loss(MANY, ConstantHead(bias, HEAD.levels, 3), rows).item("cls").backward()
    assert max(float(level.grad[:, 4:].abs().max()) for level in bias) < 1e-9
