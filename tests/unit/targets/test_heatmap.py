"""The sparse heat map against one drawn window by window, and against itself in other orders."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detloss_cli.targets.heatmap import HeatMap, draw_heatmap

SHAPE = (2, 3, 9, 11)
POINTS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 2), st.integers(-4, 14), st.integers(-4, 12), st.integers(0, 6)), max_size=12
)  # image, class, x, y, radius


def columns(points: list[tuple[int, ...]]) -> list[NDArray[np.int64]]:
    return list(np.asarray(points, dtype=np.int64).reshape(-1, 5).T)


def one_by_one(points: list[tuple[int, ...]]) -> NDArray[np.float32]:
    """Every cell of every window, the greater value kept."""
    full = np.zeros(SHAPE, dtype=np.float32)
    for image, cls, x, y, radius in points:
        sigma = (2 * radius + 1) / 6
        for row in range(max(0, y - radius), min(SHAPE[2], y + radius + 1)):
            for col in range(max(0, x - radius), min(SHAPE[3], x + radius + 1)):
                value = np.float32(np.exp(-((row - y) ** 2 + (col - x) ** 2) / (2 * sigma * sigma)))
                full[image, cls, row, col] = max(full[image, cls, row, col], value)
    return full


@settings(deadline=None)
@given(POINTS)
def test_equals_drawing_one_by_one(points: list[tuple[int, ...]]) -> None:
    heat = draw_heatmap(*columns(points), SHAPE)
    np.testing.assert_array_equal(heat.dense(), one_by_one(points))
    assert (heat.value > 0).all()


@settings(deadline=None)
@given(POINTS, st.randoms())
def test_torch_numpy_and_any_order_give_the_same_cells(points: list[tuple[int, ...]], random) -> None:  # type: ignore[no-untyped-def]
    heat = draw_heatmap(*columns(points), SHAPE)
    random.shuffle(points)
    other = draw_heatmap(*(torch.from_numpy(column.copy()) for column in columns(points)), SHAPE)
    for name in ("image", "cls", "row", "col", "value"):
        np.testing.assert_array_equal(getattr(heat, name), getattr(other, name).numpy())


@settings(deadline=None)
@given(POINTS)
def test_a_batch_is_its_images(points: list[tuple[int, ...]]) -> None:
    whole = draw_heatmap(*columns(points), SHAPE).dense()
    for image in (0, 1):
        alone = [(0, *point[1:]) for point in points if point[0] == image]
        np.testing.assert_array_equal(draw_heatmap(*columns(alone), (1, *SHAPE[1:])).dense()[0], whole[image])


@settings(deadline=None)
@given(POINTS, st.sets(st.integers(0, 2 * 9 * 11 - 1), max_size=20))
def test_at_cells_reads_the_dense_map(points: list[tuple[int, ...]], cells: set[int]) -> None:
    heat = draw_heatmap(*columns(points), SHAPE)
    wanted = heat.dense().transpose(0, 2, 3, 1).reshape(-1, 3)
    chosen = np.asarray(sorted(cells), dtype=np.int64)
    np.testing.assert_array_equal(heat.at_cells(chosen), wanted[chosen])


def test_no_points() -> None:
    heat: HeatMap = draw_heatmap(*(torch.from_numpy(column) for column in columns([])), SHAPE)
    assert heat.value.shape == (0,)
    assert heat.dense().sum() == 0
