"""Assignment to the one anchor of all levels whose shape fits best, one cell a box: keras-yolo3.

Source: behaviour of qqwweee/keras-yolo3@e6598d1, written for numpy and torch alike.
"""

from __future__ import annotations

from dataclasses import dataclass

from array_api_compat import array_namespace, device

from detloss_cli.geometry.iou import iou
from detloss_cli.inputs.head import Level
from detloss_cli.targets.assignment import Array, Assignment, Targets
from detloss_cli.targets.slots import last_of_each, slot_keys

OBJ = 4
CLS = 5


@dataclass(frozen=True, slots=True)
class AnchorMasks:
    """One list of anchors, and which of them each level takes.

    anchors: all of them, (w, h) in pixels of the network input. masks: for each level indices into the list; an anchor may be in two
    masks or in none. imgsz: height and width of the network input, pixels.
    """

    levels: tuple[Level, ...]
    anchors: tuple[tuple[float, float], ...]
    masks: tuple[tuple[int, ...], ...]
    imgsz: tuple[int, int]
    num_classes: int


@dataclass(frozen=True, slots=True)
class Fit:
    """What each target is before it meets a grid. N targets.

    boxes: (N, 4) float32, centre (floored to a whole pixel) and size in 0..1 of the network input. wide: (N,) bool, width above 0.
    anchor: (N,) int64, index of the anchor that it is given, -1 for none. iou: (N,) float64, of the shape with that anchor, 0 for none.
    """

    boxes: Array
    wide: Array
    anchor: Array
    iou: Array


def fit_anchors(targets: Targets, plan: AnchorMasks) -> Fit:
    """The anchor that each target is given: argmax of the IoU of shapes laid on one centre, the first on a tie.

    Args:
        targets: boxes (N, 4) left, top, right, bottom in pixels of the network input; float32 is what a trainer computes in.

    Differs: the anchors are found for boxes wider than 0 only, then handed to the first rows of the image, whichever these are. After a
        row without width each row has its successor's anchor, and the last ones have none.
    """
    xp = array_namespace(targets.boxes)
    where = device(targets.boxes)
    corners = xp.astype(targets.boxes, xp.float32)
    centre = xp.floor((corners[:, :2] + corners[:, 2:]) / 2)
    size = corners[:, 2:] - corners[:, :2]
    height, width = plan.imgsz
    # float32 values over integers are divided in float64 and rounded once: a division in float32 by a reciprocal would move cells
    shape = xp.asarray([width, height, width, height], dtype=xp.float64, device=where)
    boxes = xp.astype(xp.astype(xp.concat((centre, size), axis=-1), xp.float64) / shape, xp.float32)

    overlap = _shape_overlap(size, plan, xp, where)
    best = xp.astype(xp.argmax(overlap, axis=1), xp.int64)
    wide = size[:, 0] > 0
    every = xp.arange(targets.image.shape[0], dtype=xp.int64, device=where)
    source = every if bool(xp.all(wide)) else _whose_anchor(targets.image, wide)
    none = xp.full((1,), -1, dtype=xp.int64, device=where)
    anchor = xp.concat((best, none))[source]
    reached = xp.concat((xp.max(overlap, axis=1), xp.zeros((1,), dtype=xp.float64, device=where)))[source]
    return Fit(boxes, wide, anchor, reached)


def assign_best_anchor(targets: Targets, plan: AnchorMasks) -> Assignment:
    """Every box to the cell of its centre at its anchor's level; a later box of the image takes a slot from an earlier one.

    col = floor(float64(float32(x / width)) cols): a centre on the border of two cells may fall into the earlier one.

    Args:
        targets: boxes (N, 4) `xyxy_px`. Rows of an image are taken in their order, rows without width included.

    Returns:
        Rows level by level, image by image, in the order of the boxes; only those that keep their slot. A centre left of or above the
        input counts from the far end, one at or beyond the right or lower edge has no row (IndexError upstream), nor has a class that
        is out of range (AssertionError upstream). extra: `iou` with the anchor, `claims` boxes that were written to the slot, (P,).
    """
    every = written(targets, plan)
    xp = array_namespace(every.row)
    keys = slot_keys(every, plan.levels, targets.images)
    keep = last_of_each(keys)
    ordered = xp.sort(keys)
    claims = xp.searchsorted(ordered, keys, side="right") - xp.searchsorted(ordered, keys)
    return Assignment(
        level=every.level[keep],
        image=every.image[keep],
        anchor=every.anchor[keep],
        row=every.row[keep],
        col=every.col[keep],
        gt=every.gt[keep],
        extra={"iou": every.extra["iou"][keep], "claims": claims[keep]},
    )


def written(targets: Targets, plan: AnchorMasks, fit: Fit | None = None) -> Assignment:
    """Every write of a box to a slot, those included that a later box undoes: rows as in `assign_best_anchor`. fit: where it is known."""
    xp = array_namespace(targets.boxes)
    where = device(targets.boxes)
    fit = fit or fit_anchors(targets, plan)
    known = class_in_range(targets, plan)
    parts: list[tuple[Array, ...]] = []
    for index, (level, mask) in enumerate(zip(plan.levels, plan.masks, strict=True)):
        inside, row, col = cells(fit, level)
        member = fit.anchor[:, None] == xp.asarray(mask, dtype=xp.int64, device=where)[None, :]
        gt, anchor = xp.nonzero(member & (inside & known)[:, None])
        order = xp.argsort(targets.image[gt], stable=True)
        gt, anchor = gt[order], anchor[order]
        image = xp.astype(targets.image[gt], xp.int64)
        parts.append((xp.zeros_like(gt) + index, image, anchor, row[gt], col[gt], gt, fit.iou[gt]))
    level_, image, anchor, row, col, gt, reached = (xp.concat(column) for column in zip(*parts, strict=True))
    return Assignment(level_, image, anchor, row, col, gt, extra={"iou": reached})


def target_rows(targets: Targets, assignment: Assignment, plan: AnchorMasks) -> Array:
    """What stands at each positive: (P, 5 + C) float32, box in 0..1 of the input, 1, class bits.

    The last box of a slot gives the box; the class bits of every box that was written there stay. A class -1 sets the objectness once
    more and no class bit; classes below it set what they reach from the end, as a negative index does.
    """
    xp = array_namespace(targets.boxes)
    where = device(targets.boxes)
    fit = fit_anchors(targets, plan)
    every = written(targets, plan, fit)
    mine = slot_keys(assignment, plan.levels, targets.images)
    keys = slot_keys(every, plan.levels, targets.images)
    order = xp.argsort(mine)
    none = xp.full((1,), -1, dtype=xp.int64, device=where)
    at = xp.searchsorted(mine[order], keys)
    held = xp.concat((mine[order], none))[at] == keys
    place = xp.concat((order, none))[at][held]

    count = CLS + plan.num_classes
    channel = (CLS + xp.astype(targets.cls, xp.int64)) % count
    rows = xp.zeros((len(assignment), count), dtype=xp.float32, device=where)
    rows[place, channel[every.gt[held]]] = 1.0
    rows[:, :OBJ] = fit.boxes[assignment.gt, :]
    rows[:, OBJ] = 1.0
    rows[xp.arange(len(assignment), device=where), channel[assignment.gt]] = 1.0
    return rows


def cells(fit: Fit, level: Level) -> tuple[Array, Array, Array]:
    """(N,) each: whether the centre has a cell at a level, its row, its column; 0 where it has none."""
    xp = array_namespace(fit.boxes)
    col = xp.floor(xp.astype(fit.boxes[:, 0], xp.float64) * level.cols)
    row = xp.floor(xp.astype(fit.boxes[:, 1], xp.float64) * level.rows)
    inside = (col >= -level.cols) & (col < level.cols) & (row >= -level.rows) & (row < level.rows)
    nowhere = xp.zeros_like(col)
    col, row = xp.where(inside, col, nowhere), xp.where(inside, row, nowhere)
    return inside, xp.astype(row, xp.int64) % level.rows, xp.astype(col, xp.int64) % level.cols


def class_in_range(targets: Targets, plan: AnchorMasks) -> Array:
    """(N,) bool: a class that upstream neither refuses nor fails on."""
    count = CLS + plan.num_classes
    return (targets.cls < plan.num_classes) & (targets.cls >= -CLS - count)


def _shape_overlap(size: Array, plan: AnchorMasks, xp: Array, where: Array) -> Array:
    """(N, A) IoU of each size with each anchor, both on one centre: sizes in float32, anchors in float64, as upstream mixes them."""
    anchors = xp.asarray(plan.anchors, dtype=xp.float64, device=where)
    boxes = xp.concat((xp.zeros_like(size), size), axis=-1)
    shapes = xp.concat((xp.zeros_like(anchors), anchors), axis=-1)
    return iou(boxes[:, None, :], shapes[None, :, :], frame="cxcywh")


def _whose_anchor(image: Array, wide: Array) -> Array:
    """For each row the row whose anchor it is given: the t-th row of an image has that of the t-th wide row, -1 if there are fewer."""
    xp = array_namespace(image)
    order = xp.argsort(image, stable=True)
    ordered = image[order]
    rank = xp.arange(image.shape[0], device=device(image)) - xp.searchsorted(ordered, ordered)
    with_width = order[wide[order]]
    owners = image[with_width]
    start = xp.searchsorted(owners, ordered)
    count = xp.searchsorted(owners, ordered, side="right") - start
    none = xp.full((1,), -1, dtype=xp.int64, device=device(image))
    picked = xp.concat((with_width, none))[xp.where(rank < count, start + rank, xp.full_like(start, with_width.shape[0]))]
    return picked[xp.argsort(order)]
