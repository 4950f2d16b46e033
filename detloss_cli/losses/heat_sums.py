"""What the heat-map term of every constant head shares, batch by batch: how many centres, and what is left of the negatives.

No map is drawn. A cell counts (1 - Y)^4 of a negative, so all cells of a map less what each Gaussian takes, which a table knows;
where Gaussians of one class overlap, the greatest takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from detloss_cli.losses.heat_overlap import excess
from detloss_cli.losses.heat_penalty import Numbers, Penalties, Values, windows_on
from detloss_cli.losses.stack import Stack


@dataclass(frozen=True, slots=True)
class KeyPoints:
    """P key points on maps of one size. image, cls, x, y, radius: (P,) int64 on the host; a cell may lie beyond the map."""

    image: Numbers
    cls: Numbers
    x: Numbers
    y: Numbers
    radius: Numbers


@dataclass(frozen=True, slots=True)
class HeatSums:
    """One map of K batches, C classes.

    cells: (K,) of all images of a batch. taken: (K, C) sums of 1 - (1 - Y)^4, 1 at a centre. centres: (K, C) cells whose target is 1.
    covered: (K,) cells of all classes whose target is not 0.
    """

    cells: Values
    taken: Values
    centres: NDArray[np.int32]
    covered: Numbers

    @property
    def count(self) -> Numbers:
        """(K,) n of each batch."""
        found: Numbers = self.centres.sum(axis=1, dtype=np.int64)
        return found

    def loss(self, negative: Tensor, positive: Tensor) -> Tensor:
        """(K,) float64 term of each batch, divided.

        Args:
            negative: (C,) loss of a cell whose target is 0. positive: (C,) of a centre.
        """
        no, yes = (column.detach().cpu().double().numpy() for column in (negative, positive))
        negatives = self.cells * no.sum() - np.einsum("kc,c->k", self.taken, no)  # of a whole set nothing of (K, C) is made
        return torch.from_numpy((negatives + np.einsum("kc,c->k", self.centres, yes)) / np.maximum(self.count, 1))

    def shares(self) -> tuple[Tensor, Tensor]:
        """(C,) float64 each: centres and negatives of each class, those of a batch divided by its n, summed over batches."""
        share = 1 / np.maximum(self.count, 1)
        negatives = (self.cells * share).sum() - np.einsum("kc,k->c", self.taken, share)
        return torch.from_numpy(np.einsum("kc,k->c", self.centres, share)), torch.from_numpy(negatives)

    def shown(self) -> list[dict[str, Any]]:
        """What each batch shows of its map."""
        near = self.covered - self.count
        weight = 1 - (self.taken.sum(axis=1) - self.count) / np.maximum(near, 1)
        columns = zip(self.count.tolist(), near.tolist(), weight.tolist(), strict=True)
        return [{"centres": count, "near_cells": cells, "near_weight": mean} for count, cells, mean in columns]


def heat_sums(points: KeyPoints, classes: int, rows: int, cols: int, stack: Stack, penalties: Penalties) -> HeatSums:
    """The sums of one map. rows, cols: of it. penalties: known ones, to be used again."""
    windows = windows_on(points.image * classes + points.cls, points.x, points.y, points.radius, rows, cols)
    tables = penalties.tables(windows.radius)
    more = excess(windows, tables)

    def by_class(plane: Numbers, values: Values) -> Values:
        return _by_class(plane, classes, stack, values)

    def by_batch(plane: Numbers, values: Numbers) -> Numbers:
        return np.bincount(plane // classes // stack.size, values, minlength=stack.count).astype(np.int64)

    return HeatSums(
        cells=stack.sizes.numpy() * (rows * cols),
        taken=by_class(windows.plane, tables.total(windows)) - by_class(more.plane, more.taken),
        centres=centre_counts(points, classes, rows, cols, stack),
        covered=by_batch(windows.plane, windows.area) - by_batch(more.plane, more.cells),
    )


def joined_heat(parts: Sequence[HeatSums]) -> HeatSums:
    """The batches of all parts, in their order."""
    return HeatSums(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("cells", "taken", "centres", "covered")))


def centre_counts(points: KeyPoints, classes: int, rows: int, cols: int, stack: Stack) -> NDArray[np.int32]:
    """(K, C) centres of each batch; key points of one class that share a cell are one, those beyond the map none."""
    on_map = (points.x >= 0) & (points.x < cols) & (points.y >= 0) & (points.y < rows)
    plane = points.image * classes + points.cls
    cells = np.unique(((plane * rows + points.y) * cols + points.x)[on_map])
    return _by_class(cells // (rows * cols), classes, stack).astype(np.int32)


def _by_class(plane: Numbers, classes: int, stack: Stack, values: Values | None = None) -> NDArray[Any]:
    index = plane // classes // stack.size * classes + plane % classes
    return np.bincount(index, values, minlength=stack.count * classes).reshape(stack.count, classes)
