"""Cells that a true box keeps from being negatives."""

from __future__ import annotations

import pytest
import torch

from detloss_cli.losses import ignore
from detloss_cli.losses.ignore import ignored_cells

BOX = torch.tensor([[0.5, 0.5, 0.2, 0.2]], dtype=torch.float64)
FIRST = torch.zeros(1, dtype=torch.int64)


def predicted(width: float) -> torch.Tensor:
    """Two images with one cell each, whose box is `width` times as wide as BOX and as high."""
    return torch.tensor([0.5, 0.5, 0.2 * width, 0.2], dtype=torch.float64).expand(2, 1, 1, 1, 4)


@pytest.mark.parametrize(("width", "ignored"), [(2.0, True), (2.001, False), (1.0, True)])
def test_a_cell_is_ignored_from_the_threshold_on(width: float, ignored: bool) -> None:
    boxes = torch.tensor([0.5, 0.5, 0.25 * width, 0.25], dtype=torch.float64).expand(1, 1, 1, 1, 4)
    truth = torch.tensor([[0.5, 0.5, 0.25, 0.25]], dtype=torch.float64)
    assert ignored_cells(boxes, truth, FIRST, 1, 0.5).item() is ignored


def test_only_the_boxes_of_the_same_image_count() -> None:
    assert ignored_cells(predicted(1.0), BOX, FIRST, 2, 0.5).flatten().tolist() == [True, False]
    assert ignored_cells(predicted(1.0)[:1], BOX, FIRST + 1, 2, 0.5).flatten().tolist() == [False, True]


def test_no_true_boxes_ignore_nothing() -> None:
    assert not ignored_cells(predicted(1.0), BOX[:0], FIRST[:0], 2, 0.0).any()


def test_blocks_of_true_boxes_give_what_one_block_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    source = torch.Generator().manual_seed(0)
    boxes = torch.rand(2, 3, 5, 4, 4, generator=source, dtype=torch.float64)
    truth = torch.rand(30, 4, generator=source, dtype=torch.float64)
    image = torch.randint(0, 2, (30,), generator=source)
    whole = ignored_cells(boxes, truth, image, 2, 0.3)
    monkeypatch.setattr(ignore, "ROWS_AT_ONCE", 7)
    assert torch.equal(ignored_cells(boxes, truth, image, 2, 0.3), whole)
    assert 0 < int(whole.sum()) < whole.numel()


def test_an_overlap_that_is_nan_ignores_the_cell() -> None:
    nowhere = torch.tensor([0.5, 0.5, float("nan"), 0.2], dtype=torch.float64).expand(1, 1, 1, 1, 4)
    assert ignored_cells(nowhere, BOX, FIRST, 1, 0.5).all()
