"""What an assignment did with the boxes, counted: per level and anchor, per box, per slot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detloss_cli.facts import AssignmentFacts, Collision, LevelFacts
from detloss_cli.inputs.head import Head
from detloss_cli.targets.assignment import Assignment
from detloss_cli.targets.slots import last_of_each, slot_keys

SMALL_PX, LARGE_PX = 32.0, 96.0  # COCO's size classes, sides of a square of that area
MOST_COLLISIONS = 20_000  # pairs that are listed; all are counted


@dataclass(slots=True)
class AssignmentCount:
    """Sums over batches; `add` each batch in file order, then ask.

    boxes: N boxes of the data set. positives: (N, L) rows. slots: (N,) slots won.
    """

    head: Head
    boxes: int
    positives: NDArray[np.int32] = field(init=False)
    slots: NDArray[np.int32] = field(init=False)
    matches: list[NDArray[np.int64]] = field(init=False)
    by_anchor: list[NDArray[np.int64]] = field(init=False)
    matched: NDArray[np.int32] = field(init=False)
    claimed: int = 0
    conflicts: int = 0
    rows_lost: int = 0
    pairs: dict[tuple[int, int], Collision] = field(default_factory=dict)

    def __post_init__(self) -> None:
        levels = self.head.levels
        self.positives = np.zeros((self.boxes, len(levels)), dtype=np.int32)
        self.slots = np.zeros(self.boxes, dtype=np.int32)
        self.matched = np.zeros(self.boxes, dtype=np.int32)
        self.matches = [np.zeros(max(1, len(level.anchors)), dtype=np.int64) for level in levels]
        self.by_anchor = [np.zeros(max(1, len(level.anchors)), dtype=np.int64) for level in levels]

    def add(self, assignment: Assignment, first_row: int, classes: NDArray[np.int64], images: int) -> None:
        """One batch.

        Args:
            assignment: numpy columns. first_row: of the batch's boxes in the data set. classes: (N_batch,). images: B.
        """
        gt, level, anchor = assignment.gt, assignment.level, assignment.anchor
        np.add.at(self.positives, (gt + first_row, level), 1)
        for index in range(len(self.head.levels)):
            here = level == index
            size = len(self.by_anchor[index])
            self.by_anchor[index] += np.bincount(anchor[here], minlength=size)
            pairs = np.unique(gt[here] * size + anchor[here])
            self.matches[index] += np.bincount(pairs % size, minlength=size)
            np.add.at(self.matched, pairs // size + first_row, 1)
        keys = slot_keys(assignment, self.head.levels, images)
        wins = last_of_each(keys)
        np.add.at(self.slots, gt[wins] + first_row, 1)
        self._collide(keys, wins, gt, level, classes, first_row)

    def _collide(self, keys: Any, wins: Any, gt: Any, level: Any, classes: NDArray[np.int64], first_row: int) -> None:
        distinct, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
        self.claimed += int((counts > 1).sum())
        self.rows_lost += len(keys) - len(distinct)
        winner = np.zeros(len(distinct), dtype=np.int64)
        winner[inverse[wins]] = gt[wins]
        against = winner[inverse]
        differs = classes[gt] != classes[against]
        self.conflicts += len(np.unique(inverse[differs]))
        for row in np.nonzero(gt != against)[0]:
            first, second = sorted((int(gt[row]) + first_row, int(against[row]) + first_row))
            if len(self.pairs) < MOST_COLLISIONS and (first, second) not in self.pairs:
                self.pairs[first, second] = Collision(first, second, self.head.levels[level[row]].name, not bool(differs[row]))

    def levels(self, anchors: Sequence[tuple[tuple[float, float], ...]] | None = None) -> tuple[LevelFacts, ...]:
        """Facts of each level, in the head's order.

        Args:
            anchors: those that each level really takes, where they are not the head's own.
        """
        taken = anchors or [level.anchors for level in self.head.levels]
        return tuple(
            LevelFacts(
                level=level.name,
                stride=level.stride,
                rows=level.rows,
                cols=level.cols,
                cells=level.slots,
                anchors=taken[index],
                positives=int(self.by_anchor[index].sum()),
                boxes_matched=int((self.positives[:, index] > 0).sum()),
                matches_per_anchor=tuple(self.matches[index].tolist()),
                positives_per_anchor=tuple(self.by_anchor[index].tolist()),
            )
            for index, level in enumerate(self.head.levels)
        )

    def facts(self, area_px: NDArray[np.float32], reasons: dict[int, str]) -> AssignmentFacts:
        """Facts over all levels.

        Args:
            area_px: (N,) of each box at the network input. reasons: key by box, for the boxes without a row.
        """
        per_box = self.positives.sum(axis=1)
        without = np.nonzero(per_box == 0)[0]
        anchored = all(level.anchors for level in self.head.levels)
        return AssignmentFacts(
            positives=int(per_box.sum()),
            boxes=self.boxes,
            unassigned=len(without),
            by_reason=dict(sorted(Counter(reasons[int(box)] for box in without).items())),
            by_size=size_classes(area_px[without]),
            per_box_mean=float(per_box.mean()) if self.boxes else 0.0,
            per_box_max=int(per_box.max(initial=0)),
            per_box_histogram=tuple(np.bincount(per_box).tolist()) if self.boxes else (),
            collision_slots=self.claimed,
            collision_rows=self.rows_lost,
            boxes_without_slot=int(((per_box > 0) & (self.slots == 0)).sum()),
            class_conflicts=self.conflicts,
            best_possible_recall=float((per_box > 0).mean()) if anchored and self.boxes else None,
            anchors_per_target=float(self.matched.mean()) if anchored and self.boxes else None,
        )


def size_classes(area_px: NDArray[np.float32]) -> dict[str, int]:
    """Boxes by COCO's size classes: area below 32^2, below 96^2, and above, pixels of the network input."""
    small = int((area_px < SMALL_PX**2).sum())
    medium = int((area_px < LARGE_PX**2).sum()) - small
    return {"small": small, "medium": medium, "large": len(area_px) - small - medium}
