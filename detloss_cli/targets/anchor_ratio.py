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
from detloss_cli.targets.grids import grids_of

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
    xp = array_namespace(targets.boxes)
    grids = grids_of(levels, targets.boxes)
    columns = xp.stack([targets.boxes[:, i] for i in range(4)])  # boxes along the last axis: what elementwise arithmetic runs fastest on
    scaled = columns[None, :, :] * grids.size[:, :, None]  # (L, 4, N)
    ratios = _worst_sides(scaled[:, 2:, :], grids.anchors)
    taken = _taken(scaled[:, :2, :], grids.size[:, :2, None], mirror, reach)
    cells = _cells(scaled[:, :2, :], grids.size[:, :2, None], clamp, reach)
    fits = (ratios < threshold)[:, None, :, :] & taken[:, :, None, :]  # (L, 5, A, N), in the order of the rows
    return _rows(targets, ratios, cells, fits)


def cell_boxes(targets: Targets, assignment: Assignment, level: Level, chosen: Array) -> Array:
    """Boxes of the chosen rows of one level in cells, the centre relative to the row's cell: (P, 4).

    Args:
        chosen: (N_rows,) bool or (P,) int64, rows of the assignment, all of this level.
    """
    xp = array_namespace(targets.boxes)
    boxes = boxes_in_cells(targets.boxes, level)[assignment.gt[chosen], :]
    corner = xp.stack((assignment.col[chosen], assignment.row[chosen]), axis=-1)
    return xp.concat((boxes[:, :2] - xp.astype(corner, boxes.dtype), boxes[:, 2:]), axis=-1)


def boxes_of_rows(targets: Targets, assignment: Assignment, levels: Sequence[Level]) -> Array:
    """As `cell_boxes`, for all rows of all levels: (P, 4)."""
    xp = array_namespace(targets.boxes)
    boxes = targets.boxes[assignment.gt, :] * grids_of(levels, targets.boxes).size[assignment.level, :]
    corner = xp.stack((assignment.col, assignment.row), axis=-1)
    return xp.concat((boxes[:, :2] - xp.astype(corner, boxes.dtype), boxes[:, 2:]), axis=-1)


def anchors_in_cells(level: Level, like: Array) -> Array:
    """Anchors of a level in cells, (A, 2), in the dtype and on the device of `like`."""
    xp = array_namespace(like)
    return xp.asarray(level.anchors, dtype=like.dtype, device=device(like)) / level.stride


def side_ratios(targets: Targets, level: Level) -> Array:
    """max(w/aw, aw/w, h/ah, ah/h) for each anchor and box of a level: (A, N). A zero side gives inf."""
    sides = boxes_in_cells(targets.boxes, level)[:, 2:]
    return _worst_sides(sides.T[None, :, :], anchors_in_cells(level, targets.boxes)[None, :, :])[0, :, :]


def boxes_in_cells(boxes: Array, level: Level) -> Array:
    """(N, 4) boxes in cells of a level, from 0..1 of the network input."""
    xp = array_namespace(boxes)
    return boxes * xp.asarray([level.cols, level.rows, level.cols, level.rows], dtype=boxes.dtype, device=device(boxes))


def _worst_sides(sides: Array, anchors: Array) -> Array:
    """(L, A, N): max(w/aw, aw/w, h/ah, ah/h). sides: (L, 2, N) cells. anchors: (L, A, 2) cells."""
    xp = array_namespace(sides)
    ratio = sides[:, None, :, :] / anchors[:, :, :, None]
    with np.errstate(divide="ignore"):
        worst = xp.maximum(ratio, 1 / ratio)
    return xp.maximum(worst[:, :, 0, :], worst[:, :, 1, :])


def _taken(centres: Array, size: Array, mirror: Mirror, reach: float) -> Array:
    """(L, 5, N) bool: which boxes take their own cell, which is always so, the left, the upper, the right and the lower one.

    Args:
        centres: (L, 2, N) cells. size: (L, 2, 1) cols and rows.
    """
    xp = array_namespace(centres)
    if mirror == "complement":
        both = xp.concat((centres, size - centres), axis=1)
        near = (both - xp.floor(both) < reach) & (both > 1.0)
    else:
        fraction = centres - xp.floor(centres)
        near = xp.concat(((fraction < reach) & (centres > 1.0), (fraction > 1.0 - reach) & (centres < size - 1.0)), axis=1)
    return xp.concat((xp.ones_like(near[:, :1, :]), near), axis=1)


def _cells(centres: Array, size: Array, clamp: bool, reach: float) -> Array:
    """(L, 5, 2, N) int64: column and row of the cell of each box and of its four neighbours; no anchor is asked.

    Args:
        centres: (L, 2, N) cells. size: (L, 2, 1) cols and rows.
    """
    xp = array_namespace(centres)
    steps = xp.asarray([[0, 0], [1, 0], [0, 1], [-1, 0], [0, -1]], dtype=centres.dtype, device=device(centres)) * reach
    cells = xp.astype(centres[:, None, :, :] - steps[None, :, :, None], xp.int64)
    return xp.minimum(cells.clip(0), xp.astype(size, xp.int64)[:, None, :, :] - 1) if clamp else cells


def _rows(targets: Targets, ratios: Array, cells: Array, fits: Array) -> Assignment:
    """A row for each True of `fits`, (L, 5, A, N). ratios: (L, A, N). cells: (L, 5, 2, N)."""
    xp = array_namespace(ratios)
    _, blocks, anchors, boxes = fits.shape
    flat = xp.nonzero(xp.reshape(fits, (-1,)))[0]  # one axis: numpy takes ten times as long over four
    boxes = max(1, boxes)
    pair, gt = flat // boxes, flat % boxes
    block, anchor = pair // anchors, pair % anchors
    level = block // blocks
    cell = block * (2 * boxes) + gt
    places = xp.reshape(cells, (-1,))
    return Assignment(
        level=level,
        image=xp.astype(targets.image[gt], xp.int64),
        anchor=anchor,
        row=places[cell + boxes],
        col=places[cell],
        gt=gt,
        extra={"ratio": xp.reshape(ratios, (-1,))[(level * anchors + anchor) * boxes + gt]},
    )


def outside_grid(assignment: Assignment, levels: Sequence[Level]) -> Any:
    """(P,) True where a row's cell is not on its level's grid: what raises IndexError in releases that do not clamp."""
    xp = array_namespace(assignment.row)
    where = device(assignment.row)
    rows = xp.asarray([level.rows for level in levels], device=where)[assignment.level]
    cols = xp.asarray([level.cols for level in levels], device=where)[assignment.level]
    return (assignment.row >= rows) | (assignment.col >= cols) | (assignment.row < -rows) | (assignment.col < -cols)
