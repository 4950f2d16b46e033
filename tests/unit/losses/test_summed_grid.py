"""The four sums of a level against numbers worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from detloss_cli.inputs.head import Level
from detloss_cli.losses.summed_grid import LevelGeometry, level_rows, level_sums, predicted_boxes
from detloss_cli.losses.summed_marks import answers

SIZE = torch.tensor([64.0, 32.0], dtype=torch.float64)
GEOMETRY = LevelGeometry(Level("P4", 16, 2, 4), torch.tensor([[16.0, 8.0], [32.0, 16.0]], dtype=torch.float64), SIZE)
# a box of 32 x 8 px centred at (40, 24) px: row 1, column 2, in the middle of its cell; class bits 1, 0
VALUES = torch.tensor([[0.625, 0.75, 0.5, 0.25, 1.0, 1.0, 0.0]], dtype=torch.float64)
SLOT = tuple(torch.tensor([value]) for value in (0, 0, 1, 2))
ROWS = level_rows(GEOMETRY, SLOT, VALUES)


def planes(value: float = 0.0) -> list[torch.Tensor]:
    return [torch.full((1, 2, 2, 4), value, dtype=torch.float64) for _ in range(5)]


def test_a_row_is_held_to_its_cell_its_anchor_and_its_area() -> None:
    assert ROWS.xy.tolist() == [[0.5, 0.5]]
    assert ROWS.wh.tolist() == [[pytest.approx(math.log(2)), 0.0]]
    assert ROWS.scale.tolist() == [2 - 0.125]
    assert ROWS.bits.tolist() == [[1.0, 0.0]]


def test_each_term_of_a_head_of_zeros() -> None:
    sums = level_sums(GEOMETRY, ROWS, torch.zeros(1, 7, dtype=torch.float64), planes(), 1, 0.9)
    assert sums.rows.xy.tolist() == [pytest.approx(1.875 * 2 * math.log(2))]
    assert sums.rows.wh.tolist() == [pytest.approx(1.875 * 0.5 * math.log(2) ** 2)]
    assert sums.rows.conf.tolist() == [pytest.approx(math.log(2))]
    assert sums.rows.cls.tolist() == [pytest.approx(2 * math.log(2))]
    assert float(sums.background) == pytest.approx(15 * math.log(2))


def test_an_ignored_cell_adds_nothing_to_the_background() -> None:
    # the other anchor's box there is 32 x 16 px about the same centre: IoU 0.5 with the true one
    sums = level_sums(GEOMETRY, ROWS, torch.zeros(1, 7, dtype=torch.float64), planes(), 1, 0.5)
    assert torch.nonzero(sums.ignored).tolist() == [[0, 0, 1, 2], [0, 1, 1, 2]]
    assert float(sums.background) == pytest.approx(14 * math.log(2))


def test_predicted_boxes_are_in_parts_of_the_input() -> None:
    boxes = predicted_boxes(GEOMETRY, planes()[:4])
    assert boxes.shape == (1, 2, 2, 4, 4)
    assert boxes[0, 1, 0, 3].tolist() == [0.875, 0.25, 0.5, 0.5]


def test_constant_planes_give_what_full_ones_give() -> None:
    constant = [torch.full((1, 2, 1, 1), 0.3, dtype=torch.float64) for _ in range(5)]
    logits = torch.full((1, 7), 0.3, dtype=torch.float64)
    one, other = (level_sums(GEOMETRY, ROWS, logits, given, 1, 0.5) for given in (constant, planes(0.3)))
    torch.testing.assert_close(one.background, other.background)
    assert torch.equal(one.ignored, other.ignored)


def test_the_answers_leave_the_least_that_there_is() -> None:
    quiet, answer = answers(GEOMETRY, ROWS)
    assert quiet.shape == (2, 7)
    sums = level_sums(GEOMETRY, ROWS, answer, planes(), 1, 0.9)
    assert sums.rows.wh.tolist() == [pytest.approx(0, abs=1e-12)]
    assert sums.rows.xy.tolist() == [pytest.approx(1.875 * 2 * math.log(2))]
    assert float(sums.rows.cls) < 1e-5
    assert float(sums.rows.conf) < 1e-5
