"""What an assigner did with a data set, batch by batch, as facts. numpy alone, on whatever arrays it assigned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from detloss_cli.facts import AssignmentFacts, BoxFacts, Collision, LevelFacts, MapFacts
from detloss_cli.inputs.head import Head
from detloss_cli.inputs.labels import Labels
from detloss_cli.measure.assignment import AssignmentCount
from detloss_cli.measure.batches import Batch
from detloss_cli.measure.boxes import box_facts
from detloss_cli.measure.groups import with_groups
from detloss_cli.measure.maps import MapCount
from detloss_cli.targets.assignment import Assignment

if TYPE_CHECKING:
    from detloss_cli.families.interface import Family


@dataclass(frozen=True, slots=True)
class Counted:
    """The facts of an assignment, under the names that `Facts` has for them."""

    levels: tuple[LevelFacts, ...]
    maps: tuple[MapFacts, ...] | None
    assignment: AssignmentFacts
    boxes: BoxFacts
    collisions: tuple[Collision, ...]


@dataclass(slots=True)
class Tally:
    """Sums over batches; `add` each in file order, or `extend` by what was counted elsewhere.

    maps: None in families without heat maps. why: by box without a row the reason's key and text. infinite: by box, why its row makes
    the loss infinite. stops: by box, why the trainer raises an error over its batch.
    """

    count: AssignmentCount
    maps: MapCount | None
    why: dict[int, tuple[str, str]] = field(default_factory=dict)
    infinite: dict[int, str] = field(default_factory=dict)
    stops: dict[int, str] = field(default_factory=dict)

    def add(self, family: Family, profile: str, hyp: Any, batch: Batch, assignment: Assignment, classes: NDArray[np.int64]) -> None:
        """One batch; the family is asked about each box without a row. classes: (N_batch,)."""
        head, rows, start = batch.head or self.count.head, host(assignment), batch.rows.start
        self.count.add(rows, start, classes, batch.targets.images, head)
        if self.maps is not None:
            self.maps.add(rows, classes)
        for name, into in (("infinite", self.infinite), ("stops", self.stops)):
            if hasattr(family, name):
                bad = getattr(family, name)(head, hyp, batch.targets, assignment, profile=profile)
                into.update({gt + start: reason.text for gt, reason in bad.items()})
        found = family.reasons(head, hyp, batch.targets, assignment, profile=profile)
        self.why.update({gt + start: (reason.key, reason.text) for gt, reason in found.items()})

    def extend(self, part: Tally, first_row: int) -> None:
        """What was counted of the boxes from `first_row` on by itself; parts in file order."""
        self.count.extend(part.count, first_row)
        if self.maps is not None and part.maps is not None:
            self.maps.extend(part.maps)
        self.why.update({gt + first_row: reason for gt, reason in part.why.items()})
        self.infinite.update({gt + first_row: text for gt, text in part.infinite.items()})
        self.stops.update({gt + first_row: text for gt, text in part.stops.items()})

    def facts(self, family: Family, labels: Labels, size_px: NDArray[np.float32]) -> Counted:
        """Facts over all batches. labels: all boxes. size_px: (N, 2) of each at the network input."""
        count, head = self.count, self.count.head
        without = count.positives.sum(axis=1) == 0
        facts = count.facts(size_px.prod(axis=1), {box: key for box, (key, _) in self.why.items()})
        return Counted(
            levels=count.levels(family.level_anchors(head) if hasattr(family, "level_anchors") else None),
            maps=self.maps.facts() if self.maps is not None else None,
            assignment=with_groups(facts, size_px[without], labels.cls[without], labels.names),
            boxes=box_facts(labels, size_px, count.positives, count.slots, self.why, self.infinite, self.stops),
            collisions=count.collisions(),
        )


def tally(family: Family, head: Head, boxes: int) -> Tally:
    """An empty one for so many boxes."""
    return Tally(AssignmentCount(head, boxes), MapCount(head) if getattr(family, "HEAT_MAPS", False) else None)


def counted(
    family: Family,
    profile: str,
    head: Head,
    hyp: Any,
    labels: Labels,
    size_px: NDArray[np.float32],
    pairs: Iterable[tuple[Batch, Assignment]],
) -> Counted:
    """Count batches in file order, and ask the family about each box without a row.

    Args:
        hyp: as the assigner got it. labels: all boxes. size_px: (N, 2) of each at the network input. pairs: each batch and its assignment.
    """
    sums = tally(family, head, len(labels))
    for batch, assignment in pairs:
        sums.add(family, profile, hyp, batch, assignment, labels.cls[batch.rows])
    return sums.facts(family, labels, size_px)


def host(assignment: Assignment) -> Assignment:
    """The assignment with numpy columns, and what evidence it has on its rows."""
    return Assignment(
        level=_numpy(assignment.level),
        image=_numpy(assignment.image),
        anchor=_numpy(assignment.anchor),
        row=_numpy(assignment.row),
        col=_numpy(assignment.col),
        gt=_numpy(assignment.gt),
        extra={name: _on_host(column) for name, column in assignment.extra.items()},
    )


def _numpy(column: Any) -> NDArray[np.int64]:
    return _on_host(column).astype(np.int64, copy=False)


def _on_host(column: Any) -> NDArray[Any]:
    return column.detach().cpu().numpy() if hasattr(column, "detach") else np.asarray(column)
