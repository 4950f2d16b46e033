"""FCOS beyond the recorded cases: both array libraries, reasons, heads that are never built, marks."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from detloss_cli.families import fcos
from detloss_cli.families.interface import BatchTargets
from detloss_cli.geometry.anchor_boxes import grid_step
from detloss_cli.inputs.head import Head, Level
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.predictions.synthetic import ConstantHead
from detloss_cli.targets.assignment import Assignment, Targets, on_host

HEAD = Head("three", (Level("P3", 8, 16, 16), Level("P4", 16, 8, 8), Level("P5", 32, 4, 4)), 3, (128, 128))
HYP = fcos.Hyp()
COLUMNS = ("level", "image", "anchor", "row", "col", "gt")


def targets(*rows: tuple[float, ...], images: int = 1) -> Targets:
    table = torch.tensor(rows, dtype=torch.float32).reshape(-1, 6)
    return Targets(table[:, 0].long(), table[:, 1].long(), table[:, 2:], images, "xyxy_px")


MANY = targets((0, 0, 10, 10, 42, 40), (2, 1, 3, 3, 20, 25), (0, 2, 12, 12, 100, 90), (2, 2, 0, 0, 128, 128), images=4)


def assign(given: Targets) -> Assignment:
    return fcos.assign(HEAD, HYP, given, profile="0.29.1")


def loss(given: Targets, predictions: object, rows: Assignment) -> fcos.LossBreakdown:
    return fcos.loss(HEAD, HYP, given, predictions, rows, profile="0.29.1")


def prior(images: int) -> ConstantHead:
    return ConstantHead(fcos.prior(HEAD, HYP, "0.29.1"), HEAD.levels, images)


def test_numpy_gives_the_same_rows() -> None:
    rows, plain = assign(MANY), assign(on_host(MANY))
    assert len(rows) > 10
    for name in COLUMNS:
        column = getattr(plain, name)
        assert isinstance(column, np.ndarray)
        assert column.tolist() == getattr(rows, name).tolist()


def test_the_smallest_box_wins_and_the_first_of_equals() -> None:
    box = (20, 20, 44, 44)
    rows = assign(targets((0, 0, 18, 18, 46, 46), (0, 1, *box), (0, 2, *box)))
    assert set(rows.gt.tolist()) == {1}


def test_areas_within_eight_square_pixels_tie_in_float32() -> None:
    """1e8 - 576 and 1e8 - 572 are the same float32, so the first box wins though the second is smaller; in float64 it does not."""
    pair = targets((0, 0, 20, 20, 44, 44), (0, 1, 20, 20, 44, 43.84))
    assert set(assign(pair).gt.tolist()) == {0}
    assert set(assign(dataclasses.replace(pair, boxes=pair.boxes.double())).gt.tolist()) == {1}


def test_points_stand_without_a_half_cell_and_as_far_apart_as_the_input_allows() -> None:
    rows = assign(targets((0, 0, 30, 30, 34, 34)))
    assert (rows.level.tolist(), rows.row.tolist(), rows.col.tolist()) == ([0], [4], [4])
    assert grid_step(Level("P7", 128, 7, 7), (800, 800)) == (114.0, 114.0)


@pytest.mark.parametrize(
    ("box", "key", "part"),
    [
        ((33, 33, 39, 39), "no_centre_inside", "6.0x6.0 px"),
        ((-36, 37, 164, 43), "out_of_scale_range", "P3 has its farthest side 100.0 to 108.0 px away and takes 0 to 64"),
        ((20, 20, 44, 44.16), "lost_to_another_box", "such as box 0 of 576 px²"),
    ],
)
def test_reasons(box: tuple[float, ...], key: str, part: str) -> None:
    given = targets((0, 0, 20, 20, 44, 44), (0, 1, *box))
    found = fcos.reasons(HEAD, HYP, given, assign(given), profile="0.29.1")
    assert found[1].key == key
    assert part in found[1].text


def test_without_boxes() -> None:
    none = targets(images=2)
    rows = assign(none)
    breakdown = loss(none, prior(2), rows)
    cells = 2 * (256 + 64 + 16) * 3
    wanted = cells * 0.75 * 0.01**2 * math.log(100 / 99)
    assert len(rows) == 0
    assert float(breakdown.total) == pytest.approx(wanted, rel=1e-9)


def test_one_image_or_many_and_any_order() -> None:
    whole = assign(MANY)
    alone = assign(targets((0, 1, 3, 3, 20, 25), (0, 2, 0, 0, 128, 128)))
    chosen = whole.image == 2
    assert torch.tensor([1, 3])[alone.gt].tolist() == whole.gt[chosen].tolist()
    turned = Targets(MANY.image.flip(0), MANY.cls.flip(0), MANY.boxes.flip(0), 4, "xyxy_px")
    back = assign(turned)
    assert (3 - back.gt).tolist() == whole.gt.tolist()
    for name in ("level", "image", "row", "col"):
        assert getattr(back, name).tolist() == getattr(whole, name).tolist()
        assert getattr(alone, name).tolist() == getattr(whole, name)[chosen].tolist() or name == "image"


def test_a_built_head_gives_the_same() -> None:
    rows, lazy = assign(MANY), prior(4)
    built = DensePredictions([lazy.dense(i).clone() for i in range(3)])
    for name in fcos.TERMS:
        torch.testing.assert_close(loss(MANY, lazy, rows).item(name), loss(MANY, built, rows).item(name), rtol=1e-9, atol=0)


def test_marks_stand_in_order() -> None:
    rows = assign(MANY)
    rate = ConstantHead(fcos.base_rate(HEAD, HYP, "0.29.1", [BatchTargets(MANY, rows)]), HEAD.levels, 4)
    marks = [loss(MANY, head, rows) for head in (prior(4), rate, fcos.perfect(HEAD, HYP, "0.29.1", MANY, rows))]
    for name in ("cls", "centerness"):
        fresh, frequent, perfect = (float(mark.item(name)) for mark in marks)
        assert perfect <= frequent + 1e-9 <= fresh + 1e-9, name
    assert float(marks[2].item("box")) == pytest.approx(0, abs=1e-6)
    assert float(marks[2].item("cls")) < 1e-5


def test_base_rate_is_a_minimum() -> None:
    rows = assign(MANY)
    bias = [level.requires_grad_() for level in fcos.base_rate(HEAD, HYP, "0.29.1", [BatchTargets(MANY, rows)])]
    loss(MANY, ConstantHead(bias, HEAD.levels, 4), rows).total.backward()
    for level in bias:
        inner = level.detach()[:, 4:].abs() < 29
        assert float((level.grad[:, 4:] * inner).abs().max()) < 1e-6
