"""The loss of yolov8 as a whole: what is returned, gradients, class weights, odd targets."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from yolov8_heads import HYP, SOME, boxes_of, compute, head_of, random_head

from detloss_cli.families import yolov8
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.targets.assignment import Targets


@pytest.mark.parametrize(("profile", "shape"), [("8.1", ()), ("8.3.0", ()), ("8.3.200", (3,)), ("8.4.190", (3,))])
def test_what_is_returned(profile: str, shape: tuple[int, ...]) -> None:
    head, targets = head_of(), boxes_of(SOME, 2)
    _, breakdown = compute(head, targets, DensePredictions(random_head(head, 2)), profile=profile)
    value = yolov8.returned(breakdown, profile)
    assert value.shape == shape
    torch.testing.assert_close(value.sum(), breakdown.total * 2)
    torch.testing.assert_close(yolov8.items(head, HYP, breakdown, profile).sum(), breakdown.total)


def test_terms_add_up_over_levels() -> None:
    head, targets = head_of(), boxes_of(SOME, 2)
    assignment, breakdown = compute(head, targets, DensePredictions(random_head(head, 2)))
    assert [(term.name, term.level) for term in breakdown.terms] == [(n, i) for i in range(3) for n in ("box", "cls", "dfl")]
    for term in breakdown.terms:
        assert term.count == int((assignment.level == term.level).sum()) == len(term.per_positive)
        if term.name != "cls":
            torch.testing.assert_close(term.per_positive.sum() / breakdown.extra["normaliser"][0], term.raw)


def test_gradient_reaches_predictions_only() -> None:
    head, targets = head_of(), boxes_of(SOME, 2)
    maps = [m.requires_grad_() for m in random_head(head, 2)]
    boxes = replace(targets, boxes=targets.boxes.clone().requires_grad_())
    assignment, breakdown = compute(head, targets, DensePredictions(maps))
    breakdown.total.backward()
    assert not assignment.extra["score"].requires_grad
    assert all(torch.isfinite(m.grad).all() and m.grad.abs().sum() > 0 for m in maps)
    assert not yolov8.assign(head, HYP, boxes, DensePredictions(maps), profile="8.1").extra["score"].requires_grad
    untouched = torch.ones_like(maps[0][..., 0], dtype=torch.bool)
    here = assignment.level == 0
    untouched[assignment.image[here], 0, assignment.row[here], assignment.col[here]] = False
    assert maps[0].grad[..., :64][untouched].abs().sum() == 0


def test_no_boxes() -> None:
    head, targets = head_of(), boxes_of([], 2)
    maps = [m.requires_grad_() for m in random_head(head, 2)]
    assignment, breakdown = compute(head, targets, DensePredictions(maps))
    breakdown.total.backward()
    assert len(assignment) == 0
    assert float(breakdown.item("box").detach()) == float(breakdown.item("dfl").detach()) == 0
    wanted = sum(torch.nn.functional.softplus(m.detach()[..., 64:]).sum() for m in maps) * 0.5
    torch.testing.assert_close(breakdown.item("cls").detach(), wanted)
    assert yolov8.reasons(head, HYP, targets, assignment, profile="8.4.190") == {}


def test_class_weights_scale_their_class() -> None:
    head, targets = head_of(), boxes_of(SOME, 2)
    predictions = DensePredictions(random_head(head, 2))
    alone = [tuple(float(i == c) for i in range(3)) for c in range(3)]
    parts = [compute(head, targets, predictions, replace(HYP, class_weights=w))[1].item("cls") for w in alone]
    torch.testing.assert_close(sum(parts), compute(head, targets, predictions)[1].item("cls"))
    weighted = replace(HYP, class_weights=(2.0, 1.0, 0.5))
    torch.testing.assert_close(compute(head, targets, predictions, weighted)[1].item("cls"), 2 * parts[0] + parts[1] + 0.5 * parts[2])
    plain = compute(head, targets, predictions, profile="8.3.200")[1].item("cls")
    torch.testing.assert_close(compute(head, targets, predictions, weighted, "8.3.200")[1].item("cls"), plain)


def test_class_weights_come_from_the_counts() -> None:
    hyp = replace(HYP, cls_pw=1.0)
    assert yolov8.with_class_weights(hyp, [1, 3], "8.4.190").class_weights == pytest.approx((1.5, 0.5))
    assert yolov8.with_class_weights(hyp, [1, 3], "8.4.0").class_weights is None
    assert yolov8.with_class_weights(HYP, [1, 3], "8.4.190").class_weights is None


def test_unsorted_targets_cost_the_same_where_they_are_taken() -> None:
    head, targets = head_of(), boxes_of(SOME, 2)
    order = torch.tensor([2, 0, 3, 1])
    mixed = Targets(targets.image[order], targets.cls[order], targets.boxes[order], 2)
    predictions = DensePredictions(random_head(head, 2))
    one, other = (compute(head, each, predictions, profile="8.3.0")[1].total for each in (targets, mixed))
    torch.testing.assert_close(one, other)


def test_class_minus_one_is_scored_as_the_last_and_trained_as_the_first() -> None:
    """Without boxes that overlap, all that a class changes is which logit counts in the metric and which is the target."""
    head, predictions = head_of(), DensePredictions(random_head(head_of(), 1))
    found = {cls: compute(head, boxes_of([(0, cls, 64, 64, 60, 60)]), predictions) for cls in (-1, 0, 2)}
    torch.testing.assert_close(found[-1][0].extra["metric"], found[2][0].extra["metric"])
    assert float(found[-1][1].item("cls")) != pytest.approx(float(found[2][1].item("cls")))
    first = yolov8.loss(head, HYP, boxes_of([(0, 0, 64, 64, 60, 60)]), predictions, found[-1][0], profile="8.4.190")
    torch.testing.assert_close(found[-1][1].item("cls"), first.item("cls"))
