"""What an assignment and a loss make of the heat maps of a key-point family."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detloss_cli.facts import MapFacts
from detloss_cli.inputs.head import Head
from detloss_cli.targets.assignment import Assignment


@dataclass(slots=True)
class MapCount:
    """Sums over batches, one entry a map.

    centres: cells and classes that hold an object. shared: objects in a cell with another one. radii: objects by radius.
    """

    head: Head
    centres: list[int] = field(init=False)
    shared: list[int] = field(init=False)
    radii: list[NDArray[np.int64]] = field(init=False)

    def __post_init__(self) -> None:
        self.centres = [0 for _ in self.head.levels]
        self.shared = [0 for _ in self.head.levels]
        self.radii = [np.zeros(0, dtype=np.int64) for _ in self.head.levels]

    def add(self, assignment: Assignment, classes: NDArray[np.int64]) -> None:
        """One batch.

        Args:
            assignment: numpy columns, `radius` in its extra. classes: (N_batch,).
        """
        for index, level in enumerate(self.head.levels):
            here = assignment.level == index
            cell = (assignment.image[here] * level.rows + assignment.row[here]) * level.cols + assignment.col[here]
            _, inverse, objects = np.unique(cell, return_inverse=True, return_counts=True)
            self.shared[index] += int((objects[inverse] > 1).sum())
            self.centres[index] += len(np.unique(np.stack((cell, classes[assignment.gt[here]])), axis=1).T)
            self.radii[index] = _summed(self.radii[index], np.bincount(assignment.extra["radius"][here]))

    def extend(self, part: MapCount) -> None:
        """What was counted of other images by itself."""
        for index, radii in enumerate(part.radii):
            self.shared[index] += part.shared[index]
            self.centres[index] += part.centres[index]
            self.radii[index] = _summed(self.radii[index], radii)

    def facts(self) -> tuple[MapFacts, ...]:
        """Facts of each map, in the head's order, without what only a loss can tell."""
        columns = zip(self.head.levels, self.centres, self.shared, self.radii, strict=True)
        return tuple(
            MapFacts(
                map=level.name,
                stride=level.stride,
                rows=level.rows,
                cols=level.cols,
                cells=level.slots,
                positives=int(radii.sum()),
                centres=centres,
                shared=shared,
                radius_histogram=tuple(radii.tolist()),
            )
            for level, centres, shared, radii in columns
        )


def near_centres(batches: Sequence[Sequence[Mapping[str, Any]]], index: int) -> tuple[int, float | None]:
    """Cells near a centre of one map over all batches, and their mean weight as negatives, None without any.

    Args:
        batches: `maps` of each batch's loss: `near_cells` and `near_weight` by map.
    """
    found = [maps[index] for maps in batches]
    cells = sum(each["near_cells"] for each in found)
    return cells, math.fsum(each["near_cells"] * each["near_weight"] for each in found) / cells if cells else None


def _summed(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
    size = max(len(first), len(second))
    return np.pad(first, (0, size - len(first))) + np.pad(second, (0, size - len(second)))
