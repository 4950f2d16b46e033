"""Slots of a head, and which row wins a slot that several rows claim."""

from __future__ import annotations

from collections.abc import Sequence

from array_api_compat import array_namespace, device, is_numpy_array

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
    shapes = [(sum(sizes[:i]), max(1, len(level.anchors)), level.rows, level.cols) for i, level in enumerate(levels)]
    table = xp.asarray(shapes, dtype=xp.int64, device=where)
    start, anchors, rows, cols = (table[:, column][assignment.level] for column in range(4))
    return start + ((assignment.image * anchors + assignment.anchor) * rows + assignment.row) * cols + assignment.col


def last_of_each(keys: Array) -> Array:
    """(P,) bool: True on the last row of each key, the one that a sequential write leaves standing.

    Args:
        keys: (P,) int64, not negative.
    """
    xp = array_namespace(keys)
    order, last = rows_by_slot(keys)
    found = xp.zeros_like(keys, dtype=xp.bool)
    found[order[last]] = True
    return found


def winner_of_each(keys: Array) -> Array:
    """(P,) int64: for each row the last row of its key, which is itself where it wins.

    Args:
        keys: (P,) int64, not negative.
    """
    xp = array_namespace(keys)
    order, last = rows_by_slot(keys)
    group = xp.cumulative_sum(xp.astype(last, xp.int64)) - xp.astype(last, xp.int64)
    found = xp.zeros_like(keys)
    found[order] = order[last][group]
    return found


def rows_by_slot(keys: Array) -> tuple[Array, Array]:
    """Rows by key, those of one key in their order, (P,) int64, and which of them are the last of their key, (P,) bool."""
    xp = array_namespace(keys)
    bits = len(keys).bit_length() if is_numpy_array(keys) else 0
    if bits and not int(keys.max()) >> (63 - bits):
        # key and row in one number: numpy sorts that twenty times as fast as an index, stably; torch would gain nothing
        packed = xp.sort((keys << bits) | xp.arange(len(keys), dtype=keys.dtype))
        ordered, order = packed >> bits, packed & ((1 << bits) - 1)
    else:
        order = xp.argsort(keys, stable=True)
        ordered = keys[order]
    return order, xp.concat((ordered[1:] != ordered[:-1], xp.ones_like(ordered[:1], dtype=xp.bool)))
