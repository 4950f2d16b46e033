"""What an assignment did with the boxes, counted: per level and anchor, per box, per slot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detloss_cli.facts import AssignmentFacts, Collision, LevelFacts
from detloss_cli.inputs.head import Head
from detloss_cli.measure.size_classes import size_classes
from detloss_cli.targets.assignment import Assignment
from detloss_cli.targets.slots import rows_by_slot, slot_keys

MOST_COLLISIONS = 20_000  # pairs that are listed; all are counted


@dataclass(slots=True)
class AssignmentCount:
    """Sums over batches; `add` each batch in file order, then ask.

    boxes: N boxes of the data set. positives: (N, L) rows. slots: (N,) slots won. pairs: the first `MOST_COLLISIONS` pairs of boxes that
    claim one slot, with its level and whether they are of one class.
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
    paired: int = 0
    pairs: dict[tuple[int, int], tuple[int, bool]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        levels = self.head.levels
        self.positives = np.zeros((self.boxes, len(levels)), dtype=np.int32)
        self.slots = np.zeros(self.boxes, dtype=np.int32)
        self.matched = np.zeros(self.boxes, dtype=np.int32)
        self.matches = [np.zeros(max(1, len(level.anchors)), dtype=np.int64) for level in levels]
        self.by_anchor = [np.zeros(max(1, len(level.anchors)), dtype=np.int64) for level in levels]

    def add(self, assignment: Assignment, first_row: int, classes: NDArray[np.int64], images: int, head: Head | None = None) -> None:
        """One batch.

        Args:
            assignment: numpy columns. first_row: of the batch's boxes in the data set. classes: (N_batch,). images: B.
            head: that saw the batch, where it is of another input shape.
        """
        gt, level, anchor = assignment.gt, assignment.level, assignment.anchor
        boxes, rows = len(classes), slice(first_row, first_row + len(classes))
        shape = (boxes, len(self.head.levels), max(len(sizes) for sizes in self.by_anchor))
        flat = (gt * shape[1] + level) * shape[2] + anchor
        per_cell = np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape)
        self.positives[rows] += per_cell.sum(axis=2).astype(np.int32)
        self.matched[rows] += (per_cell > 0).sum(axis=(1, 2)).astype(np.int32)
        for index, counts in enumerate(self.by_anchor):
            counts += per_cell[:, index, : len(counts)].sum(axis=0)
            self.matches[index] += (per_cell[:, index, : len(counts)] > 0).sum(axis=0)
        self._claim(slot_keys(assignment, (head or self.head).levels, images), assignment, classes, first_row)

    def _claim(self, keys: Any, assignment: Assignment, classes: NDArray[np.int64], first_row: int) -> None:
        """Who wins each slot, and who claimed it too. Rows of one slot stand together, in their order, once sorted by slot."""
        gt, (order, last) = assignment.gt, rows_by_slot(keys)
        ends = np.nonzero(last)[0]
        sizes = np.diff(ends, prepend=-1)
        winner = gt[order[ends]]
        self.slots[first_row : first_row + len(classes)] += np.bincount(winner, minlength=len(classes)).astype(np.int32)
        self.claimed += int((sizes > 1).sum())
        self.rows_lost += len(keys) - len(ends)
        several = np.flatnonzero(sizes > 1)
        group = np.repeat(several, sizes[several])
        first = ends[several] - sizes[several] + 1
        inside = np.arange(len(group)) - np.repeat(np.cumsum(sizes[several]) - sizes[several], sizes[several])
        row, against = order[np.repeat(first, sizes[several]) + inside], winner[group]
        rivals = gt[row] != against
        differs = classes[gt[row]] != classes[against]
        self.conflicts += len(np.unique(group[differs]))
        self._pair(row[rivals], gt[row[rivals]] + first_row, against[rivals] + first_row, assignment, differs[rivals])

    def _pair(self, rows: Any, one: Any, other: Any, assignment: Assignment, differs: Any) -> None:
        """List each pair of boxes once, at its first row, as far as there is room: image by image, so that no batch size changes which."""
        by_row = np.lexsort((rows, assignment.image[rows]))
        pairs = np.stack((np.minimum(one, other), np.maximum(one, other)), axis=1)[by_row]
        _, firsts = np.unique(pairs[:, 0] * self.boxes + pairs[:, 1], return_index=True)
        self.paired += len(firsts)
        for index in np.sort(firsts)[: max(0, MOST_COLLISIONS - len(self.pairs))].tolist():
            first, second = (int(box) for box in pairs[index])
            row = by_row[index]
            self.pairs.setdefault((first, second), (int(assignment.level[rows[row]]), not bool(differs[row])))

    def extend(self, part: AssignmentCount, first_row: int) -> None:
        """What was counted of the boxes from `first_row` on by itself, as if it had been added here; parts in file order."""
        rows = slice(first_row, first_row + part.boxes)
        self.positives[rows] += part.positives
        self.slots[rows] += part.slots
        self.matched[rows] += part.matched
        for own, others in ((self.matches, part.matches), (self.by_anchor, part.by_anchor)):
            for counts, other in zip(own, others, strict=True):
                counts += other
        self.claimed += part.claimed
        self.conflicts += part.conflicts
        self.rows_lost += part.rows_lost
        self.paired += part.paired
        for (first, second), told in islice(part.pairs.items(), max(0, MOST_COLLISIONS - len(self.pairs))):
            self.pairs[first + first_row, second + first_row] = told

    def collisions(self) -> tuple[Collision, ...]:
        """The pairs that are listed."""
        levels = self.head.levels
        return tuple(Collision(*boxes, levels[level].name, same) for boxes, (level, same) in self.pairs.items())

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
            collision_pairs=self.paired,
            best_possible_recall=float((per_box > 0).mean()) if anchored and self.boxes else None,
            anchors_per_target=float(self.matched.mean()) if anchored and self.boxes else None,
        )
