"""Cells near a true box against all cells of the level: the same are ignored, to the last."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from detloss_cli.inputs.head import Level
from detloss_cli.losses import constant_ignore
from detloss_cli.losses.constant_ignore import ignored_slots, reachable
from detloss_cli.losses.ignore import ignored_cells
from detloss_cli.losses.summed_grid import LevelGeometry, predicted_boxes

LEVEL = Level("P4", 16, 6, 9)
IMAGES = 2
DTYPES = (torch.float32, torch.float64)


def predicted(logits: tuple[float, ...], dtype: torch.dtype) -> Tensor:
    geometry = LevelGeometry(LEVEL, torch.tensor([[16, 24], [100, 70]], dtype=dtype), torch.tensor([144, 96], dtype=dtype))
    return predicted_boxes(geometry, [torch.full((1, 2, 1, 1), value, dtype=dtype) for value in logits])


def slots(boxes: Tensor, truth: Tensor, image: Tensor, threshold: float) -> list[int]:
    return torch.nonzero(ignored_cells(boxes, truth, image, IMAGES, threshold).flatten()).flatten().tolist()


def table(rows: list[tuple[float, ...]], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Pixels of a 144 x 96 input to 0..1, and the images."""
    columns = torch.tensor(rows, dtype=torch.float64).reshape(-1, 5)
    return (columns[:, 1:] / torch.tensor([144, 96, 144, 96])).to(dtype), columns[:, 0].long()


# whole pixels: overlaps that are the threshold itself are what the two may disagree on
px = st.one_of(st.integers(-40, 180), st.just(float("nan")))
side = st.one_of(st.integers(1, 200), st.sampled_from([0, -8, 0.001, 1e-12, 1e6, 1e38, float("nan"), float("inf")]))
boxes_of = st.lists(st.tuples(st.integers(0, IMAGES - 1), px, px, side, side), max_size=6)
logit = st.sampled_from([0.0, 0.5, -1.3, 3.0, -60.0, 90.0])


@settings(max_examples=100, deadline=None)
@given(
    boxes_of, st.tuples(logit, logit, logit, logit), st.sampled_from([-2.0, -0.1, 0.0, 0.2, 0.5, 0.7, 1.0, 1.5]), st.sampled_from(DTYPES)
)
def test_the_same_cells_as_with_all_of_them(rows, logits, threshold, dtype) -> None:
    boxes, (truth, image) = predicted(logits, dtype), table(rows, dtype)
    found = ignored_slots(boxes, truth, image, threshold)
    assert sorted(set(found.tolist())) == slots(boxes, truth, image, threshold)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("threshold", [1 / 3, 0.5, 0.6])
def test_overlaps_at_the_threshold(threshold, dtype) -> None:
    rows = [(i % 2, 8 + 8 * i, 8 + 4 * j, w, h) for i in range(12) for j in range(12) for w, h in ((16, 24), (32, 24), (48, 24), (100, 35))]
    boxes, (truth, image) = predicted((0.0, 0.0, 0.0, 0.0), dtype), table(rows, dtype)
    for row, at in zip(truth, image, strict=True):
        found = ignored_slots(boxes, row[None], at[None], threshold)
        assert sorted(found.tolist()) == slots(boxes, row[None], at[None], threshold)


@pytest.mark.parametrize(("size", "side"), [(-60.0, 1e-24), (90.0, math.inf), (60.0, 1e28)])
def test_no_area_or_no_end_to_it(size, side) -> None:
    boxes, (truth, image) = predicted((0.0, 0.0, size, size), torch.float32), table([(1, 70, 50, side, side)], torch.float32)
    found = ignored_slots(boxes, truth, image, 0.5)
    assert len(found)
    assert sorted(found.tolist()) == slots(boxes, truth, image, 0.5)


def test_few_cells_are_looked_at() -> None:
    truth, _ = table([(0, 70, 50, 16, 24)], torch.float64)
    reach = reachable(predicted((0.0, 0.0, 0.0, 0.0), torch.float64), truth, 0.5)
    assert (reach.cols * reach.rows).tolist() == [[1, 0]]


def test_chunks_give_what_one_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(i % 2, 20 + 11 * i, 10 + 9 * i, 30 + 4 * i, 20 + 6 * i) for i in range(9)]
    boxes, (truth, image) = predicted((0.3, -0.2, 0.4, 0.1), torch.float32), table(rows, torch.float32)
    whole = ignored_slots(boxes, truth, image, 0.2)
    assert len(whole) > 20
    for cells in (1, 7):
        monkeypatch.setattr(constant_ignore, "CELLS_AT_ONCE", cells)
        assert torch.equal(ignored_slots(boxes, truth, image, 0.2), whole)
