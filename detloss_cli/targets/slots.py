"""Slots of a head, and which row wins a slot that several rows claim."""

from __future__ import annotations

from collections.abc import Sequence

from array_api_compat import array_namespace, device

from detloss_cli.inputs.head import Level
from detloss_cli.targets.assignment import Array, Assignment


def slot_keys(assignment: Assignment, levels: Sequence[Level], images: int) -> Array:
    """One number for each slot over all levels: (P,) int64, ordered by level, image, anchor, row, col.

    Args:
        images: B, the number of images that the assignment spans.
    """
    xp = array_namespace(assignment.row)
    where = device(assignment.row)
    sizes = [level.slots * images for level in levels]
    starts = xp.asarray([sum(sizes[:i]) for i in range(len(sizes))], dtype=xp.int64, device=where)
    anchors = xp.asarray([max(1, len(level.anchors)) for level in levels], dtype=xp.int64, device=where)
    rows = xp.asarray([level.rows for level in levels], dtype=xp.int64, device=where)
    cols = xp.asarray([level.cols for level in levels], dtype=xp.int64, device=where)
    at = assignment.level
    plane = assignment.image * anchors[at] + assignment.anchor
    return starts[at] + (plane * rows[at] + assignment.row) * cols[at] + assignment.col


def last_of_each(keys: Array) -> Array:
    """(P,) bool: True on the last row of each key, the one that a sequential write leaves standing."""
    xp = array_namespace(keys)
    order = xp.argsort(keys, stable=True)
    ordered = xp.concat((keys[order], xp.full((1,), -1, dtype=keys.dtype, device=device(keys))))
    last = ordered[1:] != ordered[:-1]
    back = xp.argsort(order)
    return last[back]
