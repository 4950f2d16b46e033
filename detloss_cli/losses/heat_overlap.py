"""Where Gaussians of one map overlap, the greatest counts: what adding all of them up counts too often.

Nothing but the cells that two windows share is looked at: for each window the box around what others share of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from detloss_cli.losses.heat_penalty import CellBoxes, Numbers, Tables, Values, Windows

MOST_CELLS = 1 << 17  # drawn at once, unless those of a single map are more


@dataclass(frozen=True, slots=True)
class Excess:
    """What M maps have too much of. plane: (M,) ascending. taken: (M,) sum of the penalties. cells: (M,) int64 windows less the cells
    that they cover."""

    plane: Numbers
    taken: Values
    cells: Numbers


@dataclass(frozen=True, slots=True)
class _Boxes(CellBoxes):
    """R boxes, by map. window: (R,) whose."""

    window: Numbers

    def part(self, rows: slice) -> _Boxes:
        return _Boxes(*(column[rows] for column in (self.left, self.top, self.right, self.bottom, self.window)))


def excess(windows: Windows, tables: Tables) -> Excess:
    """What the sums over all windows count too often, of each map with windows that overlap.

    Args:
        windows: by map. tables: of the same Gaussians.
    """
    boxes = _shared(windows)
    plane = windows.plane[boxes.window]
    first = _firsts(plane)
    parts = [_of_maps(boxes.part(rows), windows, tables, starts) for rows, starts in _chunks(boxes, first)]
    taken, cells = (np.concatenate([part[i] for part in parts]) if parts else np.zeros(0, dtype=kind) for i, kind in ((0, float), (1, int)))
    return Excess(plane[first], taken, cells)


def _shared(windows: Windows) -> _Boxes:
    """The box around what other windows of its map share of each window; of those that share nothing none."""
    plane, count = windows.plane, len(windows.plane)
    left, top = np.full(count, np.iinfo(np.int64).max), np.full(count, np.iinfo(np.int64).max)
    right, bottom = np.full(count, -1), np.full(count, -1)
    one, step = np.arange(count), 0
    while len(one):
        step += 1
        one = one[: np.searchsorted(one, count - step)]
        one = one[plane[one + step] == plane[one]]
        other = one + step
        x0, x1 = np.maximum(windows.left[one], windows.left[other]), np.minimum(windows.right[one], windows.right[other])
        y0, y1 = np.maximum(windows.top[one], windows.top[other]), np.minimum(windows.bottom[one], windows.bottom[other])
        meet = np.flatnonzero((x1 > x0) & (y1 > y0))
        for mine in (one[meet], other[meet]):
            left[mine], top[mine] = np.minimum(left[mine], x0[meet]), np.minimum(top[mine], y0[meet])
            right[mine], bottom[mine] = np.maximum(right[mine], x1[meet]), np.maximum(bottom[mine], y1[meet])
    found = np.flatnonzero(right >= 0)
    return _Boxes(left[found], top[found], right[found], bottom[found], found)


def _chunks(boxes: _Boxes, first: Numbers) -> Iterator[tuple[slice, Numbers]]:
    """Boxes of whole maps, about `MOST_CELLS` at a time, and where among them each map begins. first: (M,) where it does among all."""
    if not len(first):
        return
    ends = np.append(first[1:], len(boxes.window))
    cost = np.add.reduceat(boxes.area, first)
    group = (np.cumsum(cost) - cost) // MOST_CELLS
    edges = np.append(_firsts(group), len(group))
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        yield slice(int(first[start]), int(ends[stop - 1])), first[start:stop] - first[start]


def _of_maps(boxes: _Boxes, windows: Windows, tables: Tables, first: Numbers) -> tuple[Values, Numbers]:
    """(M,) taken and (M,) cells of M maps. first: (M,) where the boxes of each begin."""
    patch, patches = _patches(boxes, first)
    place, source = _cells(boxes, windows, tables, patch)
    each = tables.cells[source]
    greatest = np.zeros(int(patches[-1]))
    np.maximum.at(greatest, place, each)
    area = boxes.area
    added = np.add.reduceat(each, (np.cumsum(area) - area)[first]) - np.add.reduceat(greatest, patches[:-1])
    covered = np.add.reduceat((greatest > 0).astype(np.int64), patches[:-1])
    return added, np.add.reduceat(area, first) - covered


def _patches(boxes: _Boxes, first: Numbers) -> tuple[tuple[Numbers, Numbers], Numbers]:
    """The part of each map that its boxes lie in, one patch behind another.

    Returns:
        For each box the number that cell (0, 0) of its map would have and the width of its patch, (R,) both; (M + 1,) edges of the patches.
    """
    left, top = np.minimum.reduceat(boxes.left, first), np.minimum.reduceat(boxes.top, first)
    wide = np.maximum.reduceat(boxes.right, first) - left
    edges = np.append(0, np.cumsum(wide * (np.maximum.reduceat(boxes.bottom, first) - top)))
    origin = edges[:-1] - top * wide - left
    maps = np.diff(np.append(first, len(boxes.window)))
    return (np.repeat(origin, maps), np.repeat(wide, maps)), edges


def _cells(boxes: _Boxes, windows: Windows, tables: Tables, patch: tuple[Numbers, Numbers]) -> tuple[Numbers, Numbers]:
    """Every cell of every box: its number in the patches, and where its penalty stands in the tables."""
    which, side = boxes.window, tables.side[boxes.window]
    corner_x = boxes.left - windows.x[which] + windows.radius[which]
    corner_y = boxes.top - windows.y[which] + windows.radius[which]
    source = tables.of_cells[which] + corner_y * side + corner_x
    place = patch[0] + boxes.top * patch[1] + boxes.left
    high = boxes.bottom - boxes.top
    down, across = _counted(high), np.repeat(boxes.right - boxes.left, high)
    start = np.cumsum(across) - across
    every = np.arange(int(across.sum()))

    def spread(first: Numbers, stride: Numbers) -> Numbers:
        return np.repeat(np.repeat(first, high) + down * np.repeat(stride, high) - start, across) + every

    return spread(place, patch[1]), spread(source, side)


def _counted(sizes: Numbers) -> Numbers:
    """0, 1, ... up to each size, one behind another."""
    start = np.cumsum(sizes) - sizes
    return np.arange(int(sizes.sum())) - np.repeat(start, sizes)


def _firsts(keys: Numbers) -> Numbers:
    """Where each run of like keys begins."""
    return np.flatnonzero(np.append(True, keys[1:] != keys[:-1])) if len(keys) else np.zeros(0, dtype=np.int64)
