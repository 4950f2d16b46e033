"""YOLOX beyond the recorded cases: GIoU of each release, boxes that get nothing, heads that are never built."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from detloss_cli.errors import DetlossError
from detloss_cli.families import yolox
from detloss_cli.families.interface import BatchTargets
from detloss_cli.inputs.head import Head, Level
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.predictions.synthetic import ConstantHead
from detloss_cli.targets.assignment import Assignment, Targets

HEAD = Head("two", (Level("P3", 8, 8, 8), Level("P4", 16, 4, 4)), 3, (64, 64))
HYP = yolox.Hyp()


def targets(*rows: tuple[float, ...], images: int = 1) -> Targets:
    table = torch.tensor(rows, dtype=torch.float64).reshape(-1, 6)
    return Targets(table[:, 0].long(), table[:, 1].long(), table[:, 2:], images, "cxcywh_px")


def prior(images: int = 1) -> ConstantHead:
    return ConstantHead(yolox.prior(HEAD, HYP, "head"), HEAD.levels, images)


def dense(head: ConstantHead) -> DensePredictions:
    return DensePredictions([head.dense(i).clone() for i in range(len(HEAD.levels))])


@pytest.mark.parametrize("profile", ["0.1.0", "head"])
def test_giou_by_hand(profile: str) -> None:
    """A box of 8 x 8 at (12, 12) against 16 x 8 at (16, 12): inter 48, union 64 + 128 - 48, hull 16 x 8... 0.1.0 takes the intersection."""
    given = targets((0, 1, 16, 12, 16, 8))
    row = torch.tensor([1])
    zero = torch.tensor([0])
    chosen = Assignment(zero, zero, zero, row, row, zero, {"iou": torch.tensor([0.5])})
    raw = [torch.zeros(1, 1, level.rows, level.cols, 8, dtype=torch.float64) for level in HEAD.levels]
    raw[0][0, 0, 1, 1, :2] = 0.5
    breakdown = yolox.loss(HEAD, yolox.Hyp(iou_loss="giou"), given, DensePredictions(raw), chosen, profile=profile)
    hull = 16.0 * 8
    taken = 64.0 if profile == "0.1.0" else 128.0
    giou = 64 / 128 - (hull - taken) / hull
    assert float(breakdown.item("box")) == pytest.approx(5 * (1 - giou), rel=1e-12)


def test_a_built_head_gives_the_same() -> None:
    given = targets((0, 0, 20, 20, 10, 12), (0, 2, 40, 44, 30, 20), (1, 1, 8, 8, 9, 9), images=3)
    lazy, built = prior(3), dense(prior(3))
    rows = yolox.assign(HEAD, HYP, given, lazy, profile="head")
    same = yolox.assign(HEAD, HYP, given, built, profile="head")
    assert rows.gt.tolist() == same.gt.tolist()
    for name in yolox.TERMS:
        one = yolox.loss(HEAD, HYP, given, lazy, rows, profile="head").item(name)
        torch.testing.assert_close(one, yolox.loss(HEAD, HYP, given, built, rows, profile="head").item(name), rtol=1e-12, atol=0)


def test_a_centre_outside_every_window() -> None:
    """Alone the box has no candidate; beside another it takes a foreign cell at the penalty."""
    far = (0, 0, -300, -300, 10, 10)
    alone = targets(far)
    rows = yolox.assign(HEAD, HYP, alone, prior(), profile="head")
    assert len(rows) == 0
    assert "RuntimeError" in yolox.reasons(HEAD, HYP, alone, rows, profile="head")[0].text
    both = targets(far, (0, 1, 20, 20, 10, 10))
    rows = yolox.assign(HEAD, HYP, both, prior(), profile="head")
    cost = rows.extra["cost"][rows.gt == 0]
    assert len(cost) == 0 or float(cost.min()) > 1e6


def test_a_box_that_loses_every_cell_says_to_whom() -> None:
    """Two boxes at one place: with k = 1 for both, the cheaper takes the cell."""
    twins = targets((0, 0, 20, 20, 2, 2), (0, 0, 20, 20, 1, 1))
    rows = yolox.assign(HEAD, HYP, twins, prior(), profile="head")
    assert rows.gt.tolist() == [0]
    found = yolox.reasons(HEAD, HYP, twins, rows, profile="head")
    assert list(found) == [1]
    assert found[1].key == "lost_to_another_box"
    assert "went to box 0" in found[1].text
    assert f"{int(rows.of_targets['own_cells'][1])} cells" in found[1].text


def test_predictions_are_asked_for() -> None:
    with pytest.raises(DetlossError, match="assigns by prediction"):
        yolox.assign(HEAD, HYP, targets(), profile="head")


@pytest.mark.parametrize("profile", yolox.PROFILES)
def test_without_boxes(profile: str) -> None:
    none = targets(images=2)
    rows = yolox.assign(HEAD, HYP, none, prior(2), profile=profile)
    breakdown = yolox.loss(HEAD, HYP, none, prior(2), rows, profile=profile)
    cells = 2 * (64 + 16)
    assert len(rows) == 0
    assert float(breakdown.item("obj")) == pytest.approx(cells * math.log1p(1 / 99), rel=1e-9)
    assert float(breakdown.item("box")) == float(breakdown.item("cls")) == 0


@pytest.mark.parametrize("profile", yolox.PROFILES)
def test_one_image_or_many(profile: str) -> None:
    one = targets((0, 0, 20, 20, 10, 12), (0, 2, 40, 44, 30, 20))
    many = targets((1, 0, 20, 20, 10, 12), (3, 0, 8, 8, 9, 9), (1, 2, 40, 44, 30, 20), images=4)
    source = torch.Generator().manual_seed(3)
    raw = [torch.rand(4, 1, level.rows, level.cols, 8, generator=source, dtype=torch.float64) for level in HEAD.levels]
    apart = yolox.assign(HEAD, HYP, one, DensePredictions([tensor[1:2] for tensor in raw]), profile=profile)
    whole = yolox.assign(HEAD, HYP, many, DensePredictions(raw), profile=profile)
    chosen = whole.image == 1
    assert torch.tensor([0, 2])[apart.gt].tolist() == whole.gt[chosen].tolist()
    for name in ("level", "row", "col"):
        assert getattr(apart, name).tolist() == getattr(whole, name)[chosen].tolist()
    turned = dataclasses.replace(one, cls=one.cls.flip(0), boxes=one.boxes.flip(0))
    back = yolox.assign(HEAD, HYP, turned, DensePredictions([tensor[1:2] for tensor in raw]), profile=profile)
    assert (1 - back.gt).tolist() == apart.gt.tolist()


def test_marks_stand_in_order() -> None:
    given = targets((0, 0, 20, 20, 10, 12), (0, 2, 40, 44, 30, 20), (1, 1, 50, 10, 20, 14), images=2)
    rows = yolox.assign(HEAD, HYP, given, prior(2), profile="head")
    rate = ConstantHead(yolox.base_rate(HEAD, HYP, "head", [BatchTargets(given, rows)]), HEAD.levels, 2)
    best = yolox.perfect(HEAD, HYP, "head", given, rows)
    marks = [yolox.loss(HEAD, HYP, given, head, rows, profile="head") for head in (prior(2), rate)]
    for name in ("obj", "cls"):
        fresh, frequent = (float(mark.item(name)) for mark in marks)
        assert frequent < fresh, name
    again = yolox.assign(HEAD, HYP, given, best, profile="head")
    assert (again.gt.tolist(), again.level.tolist(), again.row.tolist()) == (rows.gt.tolist(), rows.level.tolist(), rows.row.tolist())
    marked = yolox.loss(HEAD, HYP, given, best, again, profile="head")
    assert [float(marked.item(name)) for name in ("box", "obj", "cls")] == pytest.approx([0, 0, 0], abs=1e-4)


def test_base_rate_is_a_minimum() -> None:
    given = targets((0, 0, 20, 20, 10, 12), (0, 2, 40, 44, 30, 20))
    rows = yolox.assign(HEAD, HYP, given, prior(), profile="head")
    bias = [level.requires_grad_() for level in yolox.base_rate(HEAD, HYP, "head", [BatchTargets(given, rows)])]
    yolox.loss(HEAD, HYP, given, ConstantHead(bias, HEAD.levels, 1), rows, profile="head").total.backward()
    for level in bias:
        if float(level.detach()[:, 4].abs().max()) < 29:
            assert float(level.grad[:, 4].abs().max()) < 1e-9
    met = [level for i, level in enumerate(bias) if (rows.level == i).any()]
    assert max(float((level.grad[:, 5:] * (level.detach()[:, 5:] > -29)).abs().max()) for level in met) < 1e-9


def test_gradient_reaches_logits_and_stops_at_the_targets() -> None:
    given = targets((0, 0, 20, 20, 10, 12), (0, 2, 40, 44, 30, 20))
    raw = [torch.zeros(1, 1, level.rows, level.cols, 8, dtype=torch.float64, requires_grad=True) for level in HEAD.levels]
    rows = yolox.assign(HEAD, HYP, given, DensePredictions(raw), profile="head")
    assert not rows.extra["iou"].requires_grad
    yolox.loss(HEAD, HYP, given, DensePredictions(raw), rows, profile="head").item("cls").backward()
    assert float(raw[0].grad[..., :5].abs().sum()) == 0
    assert sum(float(tensor.grad[..., 5:].abs().sum()) for tensor in raw) > 0
