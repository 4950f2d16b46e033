"""Anchors as boxes on the picture, laid out from the grid's first corner. Written for numpy and torch alike."""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace, device

from detloss_cli.inputs.head import Level

Array = Any


def grid_step(level: Level, imgsz: tuple[int, int]) -> tuple[float, float]:
    """Pixels from one column, and from one row, to the next: the input size over the cells, whole pixels, as torchvision spaces anchors.

    That is the stride wherever the stride divides the input size. Points stand at (col, row) times it: there is no half-cell offset.
    """
    return float(imgsz[1] // level.cols), float(imgsz[0] // level.rows)


def anchor_boxes(level: Level, imgsz: tuple[int, int], anchor: Array, row: Array, col: Array, like: Array) -> Array:
    """Anchors of slots as corners, (P, 4) px: (col, row) step -+ side / 2.

    Args:
        imgsz: height and width of the network input, px. anchor, row, col: (P,) int64. like: gives dtype and device.
    """
    xp, where = array_namespace(like), device(like)
    centre = xp.astype(xp.stack((col, row), axis=-1), like.dtype) * xp.asarray(grid_step(level, imgsz), dtype=like.dtype, device=where)
    half = xp.asarray(level.anchors, dtype=like.dtype, device=where)[anchor, :] / 2
    return xp.concat((centre - half, centre + half), axis=-1)


def every_slot(level: Level, like: Array) -> tuple[Array, Array, Array]:
    """anchor, row and col of all slots of a level, (H W A,) int64 each: row by row, the anchors of a cell together."""
    xp, each = array_namespace(like), max(1, len(level.anchors))
    index = xp.arange(level.slots, dtype=xp.int64, device=device(like))
    cell = index // each
    return index % each, cell // level.cols, cell % level.cols
