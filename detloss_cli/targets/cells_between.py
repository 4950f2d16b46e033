"""Which cells of a grid have their point between two bounds, without building the grid. Written for numpy and torch alike."""

from __future__ import annotations

from array_api_compat import array_namespace, device

from detloss_cli.targets.assignment import Array


def cells_between(
    low: Array, high: Array, shape: tuple[int, int], step: tuple[float, float], *, offset: float, margin: Array | float = 0.0
) -> tuple[Array, Array, Array]:
    """Pairs of a box and a cell whose point p = (col + offset, row + offset) step satisfies p - low > margin and high - p > margin.

    The comparison is done as written, in the dtype of the bounds: that decides for points on a bound. Cells outside the grid are left out.

    Args:
        low, high: (N, 2) x and y, px. shape: rows and cols. step: px from one column, one row to the next. offset: of a point in its cell.
        margin: px; negative ones widen.

    Returns:
        box, row, col, each (K,) int64, ordered by box, row, col.
    """
    xp = array_namespace(low)
    first_x, count_x = _range(low[:, 0], high[:, 0], shape[1], step[0], offset, margin)
    first_y, count_y = _range(low[:, 1], high[:, 1], shape[0], step[1], offset, margin)
    counts = count_x * count_y
    box = xp.repeat(xp.arange(counts.shape[0], dtype=xp.int64, device=device(low)), counts)
    place = xp.arange(box.shape[0], dtype=xp.int64, device=device(low)) - (xp.cumulative_sum(counts) - counts)[box]
    width = count_x[box]
    return box, first_y[box] + place // width, first_x[box] + place % width


def count_between(
    low: Array, high: Array, shape: tuple[int, int], step: tuple[float, float], *, offset: float, margin: Array | float = 0.0
) -> Array:
    """How many cells `cells_between` pairs with each box, (N,) int64, without listing them."""
    _, count_x = _range(low[:, 0], high[:, 0], shape[1], step[0], offset, margin)
    _, count_y = _range(low[:, 1], high[:, 1], shape[0], step[1], offset, margin)
    return count_x * count_y


def _range(low: Array, high: Array, size: int, step: float, offset: float, margin: Array | float) -> tuple[Array, Array]:
    """First index and number of those whose point lies between, both (N,) int64. Those that pass are neighbours, so the ends will do."""
    xp = array_namespace(low)
    near_low = _four_indices((low + margin) / step - offset, size, size)
    near_high = _four_indices((high - margin) / step - offset, size, -2)
    before = ~((near_low + offset) * step - low[:, None] > margin)
    within = high[:, None] - (near_high + offset) * step > margin
    first = near_low[:, 0] + xp.sum(xp.astype(before, low.dtype), axis=1)
    last = near_high[:, 0] - 1 + xp.sum(xp.astype(within, low.dtype), axis=1)
    first, last = xp.clip(first, 0, size), xp.clip(last, -1, size - 1)
    return xp.astype(first, xp.int64), xp.astype(xp.clip(last - first + 1, 0, size), xp.int64)


def _four_indices(place: Array, size: int, unknown: int) -> Array:
    """Indices around a place, (N, 4): rounding puts its floor off by one at most. Far ones stay beside the grid, NaN is at `unknown`."""
    xp = array_namespace(place)
    guess = xp.clip(xp.floor(place), -2, size)
    guess = xp.where(xp.isnan(guess), xp.full_like(guess, unknown), guess)
    return guess[:, None] + xp.arange(-1, 3, dtype=place.dtype, device=device(place))[None, :]
