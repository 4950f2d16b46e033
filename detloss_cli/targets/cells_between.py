"""Which cells of a grid have their point between two bounds, without building the grid. Written for numpy and torch alike."""

from __future__ import annotations

from array_api_compat import array_namespace, device

from detloss_cli.targets.assignment import Array


def cells_between(
    low: Array, high: Array, shape: tuple[int, int], step: tuple[float, float], *, offset: float, margin: float = 0.0
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
    first, count = _ranges(low, high, shape, step, offset, margin)
    width = count[:, 0]
    counts = width * count[:, 1]
    box = xp.repeat(xp.arange(counts.shape[0], dtype=xp.int64, device=device(low)), counts)
    place = xp.arange(box.shape[0], dtype=xp.int64, device=device(low)) - (xp.cumulative_sum(counts) - counts)[box]
    wide = width[box]
    down = place // wide
    return box, first[:, 1][box] + down, first[:, 0][box] + place - down * wide


def count_between(
    low: Array, high: Array, shape: tuple[int, int], step: tuple[float, float], *, offset: float, margin: float = 0.0
) -> Array:
    """How many cells `cells_between` pairs with each box, (N,) int64, without listing them."""
    _, count = _ranges(low, high, shape, step, offset, margin)
    return count[:, 0] * count[:, 1]


def _ranges(
    low: Array, high: Array, shape: tuple[int, int], step: tuple[float, float], offset: float, margin: float
) -> tuple[Array, Array]:
    """First index and number of those whose point lies between, in x and in y, both (N, 2) int64.

    Those that pass are neighbours, so the ends will do.
    """
    xp = array_namespace(low)
    size, pitch = (xp.asarray(pair, dtype=low.dtype, device=device(low)) for pair in ((shape[1], shape[0]), step))
    near_low = _four_indices((low + margin) / pitch - offset, size, size)
    near_high = _four_indices((high - margin) / pitch - offset, size, xp.full_like(size, -2))
    before = ~((near_low + offset) * pitch[:, None] - low[..., None] > margin)
    within = high[..., None] - (near_high + offset) * pitch[:, None] > margin
    first = near_low[..., 0] + xp.sum(xp.astype(before, low.dtype), axis=-1)
    last = near_high[..., 0] - 1 + xp.sum(xp.astype(within, low.dtype), axis=-1)
    first, last = xp.minimum(xp.clip(first, 0), size), xp.minimum(xp.clip(last, -1), size - 1)
    return xp.astype(first, xp.int64), xp.astype(xp.minimum(xp.clip(last - first + 1, 0), size), xp.int64)


def _four_indices(place: Array, size: Array, unknown: Array) -> Array:
    """Indices around a place, (N, 2, 4): rounding puts its floor off by one at most. Far ones stay beside the grid, NaN is at `unknown`."""
    xp = array_namespace(place)
    guess = xp.minimum(xp.clip(xp.floor(place), -2), size)
    guess = xp.where(xp.isnan(guess), unknown, guess)
    return guess[..., None] + xp.arange(-1, 3, dtype=place.dtype, device=device(place))
