"""Cells between two bounds, against the plain comparison over the whole grid."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from detloss_cli.targets.cells_between import cells_between

SHAPE, STEP = (5, 7), (8.0, 16.0)
BOUND = st.one_of(st.floats(-200, 400, width=32), st.sampled_from([0.0, 4.0, 12.0, 16.0, 24.0, 52.0, 56.0, 1e30, -1e30, float("nan")]))


def by_grid(low: np.ndarray, high: np.ndarray, offset: float, margin: float) -> list[tuple[int, int, int]]:
    x = ((np.arange(SHAPE[1]) + offset) * STEP[0]).astype(low.dtype)
    y = ((np.arange(SHAPE[0]) + offset) * STEP[1]).astype(low.dtype)
    inside_x = (x - low[:, :1] > margin) & (high[:, :1] - x > margin)
    inside_y = (y - low[:, 1:] > margin) & (high[:, 1:] - y > margin)
    return list(zip(*(axis.tolist() for axis in np.nonzero(inside_y[:, :, None] & inside_x[:, None, :])), strict=True))


@given(st.lists(st.tuples(BOUND, BOUND, BOUND, BOUND), max_size=4), st.sampled_from([0.0, 0.5]), st.sampled_from([0.0, -12.0, 4.0]))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equals_the_comparison_over_the_grid(dtype: type, rows: list[tuple[float, ...]], offset: float, margin: float) -> None:
    bounds = np.asarray(rows, dtype=dtype).reshape(-1, 4)
    with np.errstate(invalid="ignore"):
        wanted = by_grid(bounds[:, :2], bounds[:, 2:], offset, margin)
        got = cells_between(bounds[:, :2], bounds[:, 2:], SHAPE, STEP, offset=offset, margin=margin)
    assert list(zip(*(column.tolist() for column in got), strict=True)) == wanted
    tensor = torch.from_numpy(bounds)
    same = cells_between(tensor[:, :2], tensor[:, 2:], SHAPE, STEP, offset=offset, margin=margin)
    assert list(zip(*(column.tolist() for column in same), strict=True)) == wanted


def test_a_point_on_the_bound_is_out() -> None:
    _, row, col = cells_between(np.array([[4.0, 0.0]]), np.array([[20.0, 16.0]]), (4, 4), (8.0, 8.0), offset=0.5)
    assert col.tolist() == [1, 1]
    assert row.tolist() == [0, 1]
