"""keras-yolo3 as a whole: invariants of its loss, its synthetic heads and its messages."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from detloss_cli.errors import DetlossError
from detloss_cli.families import keras_yolo3 as family
from detloss_cli.families import load
from detloss_cli.families.hyp import hyp_keys
from detloss_cli.families.interface import BatchTargets
from detloss_cli.inputs.head import Head, HeadSpec
from detloss_cli.predictions.interface import DensePredictions, Predictions
from detloss_cli.predictions.synthetic import ConstantHead
from detloss_cli.targets.assignment import Targets

ANCHORS = (((10, 13), (16, 30), (33, 23)), ((30, 61), (62, 45), (59, 119)), ((116, 90), (156, 198), (373, 326)))
HEAD = HeadSpec("yolov3", None, (32, 16, 8), ANCHORS[::-1]).at((128, 160), 3)
TINY = HeadSpec("yolov3-tiny", None, (32, 16), (((81, 82), (135, 169), (344, 319)), ((10, 14), (23, 27), (37, 58)))).at((128, 160), 3)
HYP = family.Hyp()
PROFILE = "master"

side = st.integers(8, 60)
box = st.tuples(st.integers(0, 2), st.integers(0, 90), st.integers(0, 60), side, side, st.integers(0, 2))
boxes_of_batch = st.lists(box, max_size=8)


def targets_of(rows, images: int = 3) -> Targets:
    """From rows of image, left, top, width, height, class."""
    table = torch.tensor(rows, dtype=torch.float32).reshape(-1, 6)
    corners = torch.cat((table[:, 1:3], table[:, 1:3] + table[:, 3:5]), dim=1)
    return Targets(table[:, 0].long(), table[:, 5].long(), corners, images, family.FRAME)


def levels_of(head: Head = HEAD, images: int = 3, seed: int = 0) -> list[Tensor]:
    source = torch.Generator().manual_seed(seed)
    shape = [(images, 3, level.rows, level.cols, 5 + head.num_classes) for level in head.levels]
    return [torch.randn(s, generator=source, dtype=torch.float64).requires_grad_() for s in shape]


def loss_of(targets: Targets, predictions: Predictions, head: Head = HEAD, hyp: family.Hyp = HYP):
    assignment = family.assign(head, hyp, targets, profile=PROFILE)
    return family.loss(head, hyp, targets, predictions, assignment, profile=PROFILE)


def constant(bias: tuple[Tensor, ...], images: int = 3) -> ConstantHead:
    return ConstantHead(bias, HEAD.levels, images)


@settings(max_examples=25, deadline=None)
@given(boxes_of_batch)
def test_a_batch_costs_the_mean_of_its_images(rows) -> None:
    levels, whole = levels_of(), targets_of(rows)
    together = loss_of(whole, DensePredictions(levels))
    alone = []
    for image in range(3):
        mine = whole.image == image
        one = Targets(whole.image[mine] * 0, whole.cls[mine], whole.boxes[mine], 1, family.FRAME)
        alone.append(loss_of(one, DensePredictions([level[image : image + 1] for level in levels])))
    for name in family.TERMS:
        torch.testing.assert_close(together.item(name), sum(part.item(name) for part in alone) / 3, rtol=1e-12, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(boxes_of_batch, st.randoms(use_true_random=False))
def test_order_matters_only_where_boxes_share_a_slot(rows, random) -> None:
    assignment = family.assign(HEAD, HYP, targets_of(rows), profile=PROFILE)
    if len(assignment) < len(rows):
        rows = [rows[gt] for gt in assignment.gt.tolist()]
    shuffled = random.sample(rows, len(rows))
    predictions = DensePredictions(levels_of())
    torch.testing.assert_close(
        loss_of(targets_of(rows), predictions).total, loss_of(targets_of(shuffled), predictions).total, rtol=1e-12, atol=1e-12
    )


@settings(max_examples=20, deadline=None)
@given(boxes_of_batch)
def test_synthetic_heads_cost_what_their_tensors_cost(rows) -> None:
    targets = targets_of(rows)
    assignment = family.assign(HEAD, HYP, targets, profile=PROFILE)
    rates = family.base_rate(HEAD, HYP, PROFILE, [BatchTargets(targets, assignment)])
    for head in (constant(rates), constant(family.prior(HEAD, HYP, PROFILE)), family.perfect(HEAD, HYP, PROFILE, targets, assignment)):
        dense = DensePredictions([head.dense(index) for index in range(3)])
        torch.testing.assert_close(loss_of(targets, head).total, loss_of(targets, dense).total, rtol=1e-12, atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(boxes_of_batch)
def test_perfect_beats_base_rate_beats_prior_in_every_term(rows) -> None:
    targets = targets_of(rows)
    assignment = family.assign(HEAD, HYP, targets, profile=PROFILE)
    prior = loss_of(targets, constant(family.prior(HEAD, HYP, PROFILE)))
    rate = loss_of(targets, constant(family.base_rate(HEAD, HYP, PROFILE, [BatchTargets(targets, assignment)])))
    perfect = loss_of(targets, family.perfect(HEAD, HYP, PROFILE, targets, assignment))
    for name in ("xy", "wh", "cls"):  # the constant boxes of a base rate ignore other cells than those of the prior
        assert rate.item(name) <= prior.item(name) + 1e-9
        assert perfect.item(name) <= rate.item(name) + 1e-4
    assert perfect.item("conf") <= prior.item("conf")


def test_the_base_rate_is_where_each_term_is_smallest() -> None:
    targets = targets_of([(0, 10, 10, 50, 40, 0), (0, 80, 60, 30, 20, 1), (1, 20, 30, 60, 60, 0), (2, 100, 50, 50, 30, 0)])
    first = Targets(targets.image[:2], targets.cls[:2], targets.boxes[:2], 1, family.FRAME)
    rest = Targets(targets.image[2:] - 1, targets.cls[2:], targets.boxes[2:], 2, family.FRAME)
    batches = [BatchTargets(part, family.assign(HEAD, HYP, part, profile=PROFILE)) for part in (first, rest)]
    biases = [bias.clone().requires_grad_() for bias in family.base_rate(HEAD, HYP, PROFILE, batches)]
    # shared by the anchors of a level, so only the sum over anchors is at rest
    total = sum(loss_of(batch.targets, constant(tuple(biases), batch.targets.images)).total for batch in batches)
    total.backward()
    for bias in biases:
        assert bias.grad is not None
        away_from_the_limit = bias.detach()[0].abs() < 29
        assert bias.grad.sum(dim=0)[away_from_the_limit].abs().max() < 1e-9
        assert int(away_from_the_limit.sum()) >= 5


def test_no_boxes_leave_only_confidence() -> None:
    levels = levels_of()
    breakdown = loss_of(targets_of([]), DensePredictions(levels))
    assert [float(breakdown.item(name).detach()) for name in ("xy", "wh", "cls")] == [0, 0, 0]
    breakdown.total.backward()
    for level in levels:
        assert level.grad is not None
        assert level.grad[..., 4].abs().min() > 0
        assert level.grad[..., :4].abs().max() == 0


def test_gradients_are_those_of_finite_differences() -> None:
    small = HeadSpec("yolov3-tiny", None, (32, 16), tuple(level.anchors for level in TINY.levels)).at((32, 32), 2)
    targets = targets_of([(0, 2, 2, 20, 22, 1), (0, 5, 8, 18, 10, 0)], images=1)
    levels = [level.detach().requires_grad_() for level in levels_of(small, 1)]
    assignment = family.assign(small, HYP, targets, profile=PROFILE)
    assert len(assignment) > 0

    def total(*given_: Tensor) -> Tensor:
        return family.loss(small, HYP, targets, DensePredictions(given_), assignment, profile=PROFILE).total

    assert torch.autograd.gradcheck(total, levels)


def test_a_box_without_height_makes_the_loss_infinite_and_is_named() -> None:
    targets = targets_of([(0, 10, 10, 50, 0, 0), (1, 10, 10, 50, 40, 0)])
    assignment = family.assign(HEAD, HYP, targets, profile=PROFILE)
    breakdown = family.loss(HEAD, HYP, targets, DensePredictions(levels_of()), assignment, profile=PROFILE)
    assert float(breakdown.item("wh").detach()) == math.inf
    named = family.infinite(HEAD, HYP, targets, assignment, profile=PROFILE)
    assert {gt: reason.key for gt, reason in named.items()} == {0: "zero_height"}
    assert "50x0 px" in named[0].text


def test_a_higher_threshold_penalises_more_cells() -> None:
    targets, predictions = targets_of([(0, 40, 30, 60, 60, 0)]), DensePredictions([level * 0 for level in levels_of()])
    confidence = [loss_of(targets, predictions, hyp=family.Hyp(ignore_thresh=t)).item("conf") for t in (0.1, 0.5, 1.1)]
    assert confidence[0] < confidence[1] < confidence[2]


def test_the_order_of_levels_does_not_matter() -> None:
    fine_first = HeadSpec("yolov3", None, (8, 16, 32), ANCHORS).at((128, 160), 3)
    targets, levels = targets_of([(0, 10, 10, 50, 40, 0), (1, 30, 30, 12, 12, 2), (2, 0, 0, 150, 120, 1)]), levels_of()
    coarse_first = loss_of(targets, DensePredictions(levels)).total
    torch.testing.assert_close(loss_of(targets, DensePredictions(levels[::-1]), fine_first).total, coarse_first)


def test_a_tiny_head_takes_the_anchors_of_its_masks() -> None:
    assert family.level_anchors(TINY) == (((81, 82), (135, 169), (344, 319)), ((23, 27), (37, 58), (81, 82)))
    assert family.level_anchors(HEAD) == ANCHORS[::-1]


@pytest.mark.parametrize("strides", [(32,), (64, 32, 16, 8)])
def test_other_numbers_of_levels_are_refused(strides: tuple[int, ...]) -> None:
    head = HeadSpec("other", None, strides, (ANCHORS[0],) * len(strides)).at((128, 128), 3)
    with pytest.raises(DetlossError, match="two or three levels of 3 anchors"):
        family.assign(head, HYP, targets_of([]), profile=PROFILE)


def test_the_ledger_says_that_nothing_is_weighed() -> None:
    assert [(gain.term, gain.used) for gain in family.gain_ledger(HYP, HEAD, PROFILE)] == [(name, 1.0) for name in family.TERMS]
    assert all("/ batch" in gain.steps[-1].rule for gain in family.gain_ledger(HYP, HEAD, PROFILE))
    assert family.scaled(HYP, HEAD, PROFILE) == HYP


def test_it_is_registered_and_its_keys_have_meanings() -> None:
    assert load(family.ID) is family
    assert {key.name: key.default for key in hyp_keys(family.Hyp)} == {"ignore_thresh": 0.5, "max_boxes": 20.0}
    assert family.channels(HEAD).count == 8
