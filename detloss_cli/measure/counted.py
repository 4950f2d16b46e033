"""What an assigner did with a data set, batch by batch, as facts. numpy alone, on whatever arrays it assigned."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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
    count = AssignmentCount(head, len(labels))
    maps = MapCount(head) if getattr(family, "HEAT_MAPS", False) else None
    why: dict[int, tuple[str, str]] = {}
    infinite: dict[int, str] = {}
    stops: dict[int, str] = {}
    for batch, assignment in pairs:
        rows, start = host(assignment), batch.rows.start
        count.add(rows, start, labels.cls[batch.rows], batch.targets.images)
        if maps is not None:
            maps.add(rows, labels.cls[batch.rows])
        if hasattr(family, "infinite"):
            bad = family.infinite(head, hyp, batch.targets, assignment, profile=profile)
            infinite.update({gt + start: reason.text for gt, reason in bad.items()})
        if hasattr(family, "stops"):
            bad = family.stops(head, hyp, batch.targets, assignment, profile=profile)
            stops.update({gt + start: reason.text for gt, reason in bad.items()})
        found = family.reasons(head, hyp, batch.targets, assignment, profile=profile)
        why.update({gt + start: (reason.key, reason.text) for gt, reason in found.items()})
    without = count.positives.sum(axis=1) == 0
    facts = count.facts(size_px.prod(axis=1), {box: key for box, (key, _) in why.items()})
    return Counted(
        levels=count.levels(family.level_anchors(head) if hasattr(family, "level_anchors") else None),
        maps=maps.facts() if maps is not None else None,
        assignment=with_groups(facts, size_px[without], labels.cls[without], labels.names),
        boxes=box_facts(labels, size_px, count.positives, count.slots, why, infinite, stops),
        collisions=tuple(count.pairs.values()),
    )


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
