"""What a Gaussian takes off the negatives of its heat map: 1 - (1 - Y)^4, cell by cell, and the sum over any part of its window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detloss_cli.geometry.gaussian import gaussian_windows

Numbers = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CellBoxes:
    """P boxes of whole cells of their maps, half open. All columns (P,) int64."""

    left: Numbers
    top: Numbers
    right: Numbers
    bottom: Numbers

    @property
    def area(self) -> Numbers:
        """Cells of each."""
        return (self.right - self.left) * (self.bottom - self.top)


@dataclass(frozen=True, slots=True)
class Windows(CellBoxes):
    """Where P Gaussians reach to, cut off at the edges of the map.

    plane: which map. x, y: centre, which may lie beyond the map. radius: cells.
    """

    plane: Numbers
    x: Numbers
    y: Numbers
    radius: Numbers


def windows_on(plane: Numbers, x: Numbers, y: Numbers, radius: Numbers, rows: int, cols: int) -> Windows:
    """The Gaussians that reach onto their map, by map and then in their order. Arguments as `Windows`; rows, cols: of each map."""
    left, top = np.maximum(x - radius, 0), np.maximum(y - radius, 0)
    right, bottom = np.minimum(x + radius + 1, cols), np.minimum(y + radius + 1, rows)
    order = np.argsort(plane, kind="stable")
    order = order[(right > left)[order] & (bottom > top)[order]]
    return Windows(*(column[order] for column in (left, top, right, bottom, plane, x, y, radius)))


@dataclass(frozen=True, slots=True)
class Tables:
    """The squares of all radii in use, one behind another.

    cells: of a radius (2 r + 1, 2 r + 1). sums: (2 r + 2, 2 r + 2) over all cells above and to the left. of_cells, of_sums: (P,) where
    those of each Gaussian begin. side: (P,) 2 r + 1.
    """

    cells: Values
    sums: Values
    of_cells: Numbers
    of_sums: Numbers
    side: Numbers

    def total(self, windows: Windows) -> Values:
        """(P,) sum over the window of each Gaussian."""
        left, right = windows.left - windows.x + windows.radius, windows.right - windows.x + windows.radius
        top, bottom = windows.top - windows.y + windows.radius, windows.bottom - windows.y + windows.radius
        upper, lower = self.of_sums + top * (self.side + 1), self.of_sums + bottom * (self.side + 1)
        found: Values = (self.sums[lower + right] - self.sums[upper + right]) - (self.sums[lower + left] - self.sums[upper + left])
        return found


class Penalties:
    """Squares by radius, each made when it is first asked for."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Values, Values]] = {}

    def tables(self, radius: Numbers) -> Tables:
        """Those of some Gaussians. radius: (P,)."""
        distinct, which = np.unique(radius, return_inverse=True)
        found = [self._square(one) for one in distinct.tolist()]
        cells, sums = (np.concatenate([pair[i].ravel() for pair in found] or [np.zeros(0)]) for i in (0, 1))
        of_cells, of_sums = (_starts((2 * distinct + more) ** 2)[which] for more in (1, 2))
        return Tables(cells, sums, of_cells, of_sums, 2 * radius + 1)

    def _square(self, radius: int) -> tuple[Values, Values]:
        if radius not in self._known:
            middle, side = np.full(1, radius, dtype=np.int64), 2 * radius + 1
            value = gaussian_windows(middle, middle, middle, side, side).value.astype(np.float64)
            cells = (1 - (1 - value) ** 4).reshape(side, side)
            self._known[radius] = cells, np.pad(cells.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
        return self._known[radius]


def _starts(sizes: Numbers) -> Numbers:
    return np.cumsum(sizes) - sizes
