"""Assignment by the ratio of box to anchor, with neighbour cells: yolov5, and the candidates of yolov7.

Source: behaviour of ultralytics/yolov5 1.0 to 7.0, written for numpy and torch alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from array_api_compat import array_namespace, device

from detloss_cli.inputs.head import Level
from detloss_cli.targets.assignment import Array, Assignment, Targets

Mirror = Literal["complement", "fraction"]


def assign_by_anchor_ratio(
    targets: Targets, levels: Sequence[Level], *, threshold: float, mirror: Mirror = "complement", clamp: bool = True, reach: float = 0.5
) -> Assignment:
    """Every anchor whose sides are within a factor of the box's takes it, in the box's cell and in up to two neighbours.

    matched iff max(w/aw, aw/w, h/ah, ah/h) < threshold, on each level by itself: a box may match nothing.

    Args:
        targets: boxes (N, 4) `cxcywh` in 0..1. Arithmetic is done in their dtype: float32 is what a trainer does.
        levels: rows, cols and anchors (A, 2) px of each level.
        threshold: hyp `anchor_t`, strict.
        mirror: how the right and lower neighbour is found: `complement` tests the fraction of cols - x (yolov5 3.0 and later), so that an
            integer centre takes its own cell twice; `fraction` tests the fraction of x itself (1.0, 2.0).
        clamp: keep cells inside the grid (yolov5 4.0 and later).
        reach: how near the border of its cell a centre must be to take the neighbour, cells; 1.0 for yolov7's auxiliary head.

    Returns:
        Rows level by level: each level all centres, then left, upper, right and lower neighbours, each block anchor-major.
        extra: `ratio` (P,), the figure that was held to the threshold.

    Raises:
        IndexError: a centre outside the grid where `clamp` is off, as upstream does.
    """
    parts = [_level_rows(targets, level, index, threshold, mirror, clamp, reach) for index, level in enumerate(levels)]
    xp = array_namespace(targets.boxes)
    names = ("level", "image", "anchor", "row", "col", "gt", "ratio")
    columns = {name: xp.concat([part[name] for part in parts]) for name in names}
    ratio = columns.pop("ratio")
    return Assignment(**columns, extra={"ratio": ratio})


def cell_boxes(targets: Targets, assignment: Assignment, level: Level, chosen: Array) -> Array:
    """Boxes of the chosen rows of one level in cells, the centre relative to the row's cell: (P, 4).

    Args:
        chosen: (N_rows,) bool or (P,) int64, rows of the assignment, all of this level.
    """
    xp = array_namespace(targets.boxes)
    boxes = boxes_in_cells(targets.boxes, level)[assignment.gt[chosen], :]
    corner = xp.stack((assignment.col[chosen], assignment.row[chosen]), axis=-1)
    return xp.concat((boxes[:, :2] - xp.astype(corner, boxes.dtype), boxes[:, 2:]), axis=-1)


def anchors_in_cells(level: Level, like: Array) -> Array:
    """Anchors of a level in cells, (A, 2), in the dtype and on the device of `like`."""
    xp = array_namespace(like)
    return xp.asarray(level.anchors, dtype=like.dtype, device=device(like)) / level.stride


def side_ratios(targets: Targets, level: Level) -> Array:
    """max(w/aw, aw/w, h/ah, ah/h) for each anchor and box of a level: (A, N). A zero side gives inf."""
    xp = array_namespace(targets.boxes)
    anchors = anchors_in_cells(level, targets.boxes)
    boxes = boxes_in_cells(targets.boxes, level)
    wide, high = (boxes[None, :, 2 + axis] / anchors[:, None, axis] for axis in range(2))
    with np.errstate(divide="ignore"):
        return xp.maximum(xp.maximum(wide, 1 / wide), xp.maximum(high, 1 / high))


def boxes_in_cells(boxes: Array, level: Level) -> Array:
    """(N, 4) boxes in cells of a level, from 0..1 of the network input."""
    xp = array_namespace(boxes)
    return boxes * xp.asarray([level.cols, level.rows, level.cols, level.rows], dtype=boxes.dtype, device=device(boxes))


def _level_rows(
    targets: Targets, level: Level, index: int, threshold: float, mirror: Mirror, clamp: bool, reach: float
) -> dict[str, Array]:
    xp = array_namespace(targets.boxes)
    where = device(targets.boxes)
    ratios = side_ratios(targets, level)
    anchor, gt = xp.nonzero(ratios < threshold)
    centres = boxes_in_cells(targets.boxes, level)[:, :2]
    shifts = xp.asarray([[0, 0], [1, 0], [0, 1], [-1, 0], [0, -1]], dtype=centres.dtype, device=where) * reach
    blocks = [xp.cumulative_sum(xp.ones_like(gt)) - 1]  # every row; a range of their number would ask for it
    blocks += [xp.nonzero(near[gt])[0] for near in _neighbours(centres, level, mirror, reach)]
    match = xp.concat(blocks)
    cols, rows = [], []
    for shift, block in zip(shifts, blocks, strict=True):  # which cell it is depends on the box alone
        cell, box = xp.astype(centres - shift, xp.int64), gt[block]
        if clamp:
            cols.append(cell[:, 0].clip(0, level.cols - 1)[box])
            rows.append(cell[:, 1].clip(0, level.rows - 1)[box])
        else:
            cols.append(cell[:, 0][box])
            rows.append(cell[:, 1][box])
    return {
        "level": xp.full_like(match, index),
        "image": xp.astype(targets.image[gt][match], xp.int64),
        "anchor": anchor[match],
        "row": xp.concat(rows),
        "col": xp.concat(cols),
        "gt": gt[match],
        "ratio": ratios[anchor, gt][match],
    }


def _neighbours(centres: Array, level: Level, mirror: Mirror, reach: float) -> list[Array]:
    """Which boxes take the left, the upper, the right and the lower neighbour of their cell, (N,) bool each: no anchor is asked."""
    xp = array_namespace(centres)
    size = xp.asarray([level.cols, level.rows], dtype=centres.dtype, device=device(centres))
    fraction = centres - xp.floor(centres)
    near = (fraction < reach) & (centres > 1.0)
    if mirror == "complement":
        mirrored = size - centres
        far = (mirrored - xp.floor(mirrored) < reach) & (mirrored > 1.0)
    else:
        far = (fraction > 1.0 - reach) & (centres < size - 1.0)
    return [near[:, 0], near[:, 1], far[:, 0], far[:, 1]]


def outside_grid(assignment: Assignment, levels: Sequence[Level]) -> Any:
    """(P,) True where a row's cell is not on its level's grid: what raises IndexError in releases that do not clamp."""
    xp = array_namespace(assignment.row)
    where = device(assignment.row)
    rows = xp.asarray([level.rows for level in levels], device=where)[assignment.level]
    cols = xp.asarray([level.cols for level in levels], device=where)[assignment.level]
    return (assignment.row >= rows) | (assignment.col >= cols) | (assignment.row < -rows) | (assignment.col < -cols)
