"""Assignment by the IoU of shapes: yolov3-spp. No neighbour cells.

Source: behaviour of ultralytics/yolov3 and of WZMIAOMIAO's yolov3_spp, written for numpy and torch alike.
"""

from __future__ import annotations

from collections.abc import Sequence

from array_api_compat import array_namespace

from detloss_cli.geometry.iou import shape_iou
from detloss_cli.inputs.head import Level
from detloss_cli.targets.anchor_ratio import anchors_in_cells, boxes_in_cells
from detloss_cli.targets.assignment import Array, Assignment, Targets


def assign_by_shape(targets: Targets, levels: Sequence[Level], *, threshold: float, clamp: bool = True) -> Assignment:
    """Every anchor whose shape overlaps the box's by more than a threshold takes it, in the box's cell.

    matched iff min(w, aw) min(h, ah) / (w h + aw ah - inter) > threshold, on each level by itself: a box may match nothing.

    Args:
        targets: boxes (N, 4) `cxcywh` in 0..1. Arithmetic is done in their dtype: float32 is what a trainer does.
        levels: in the order in which the family feeds them. threshold: hyp `iou_t`, strict.
        clamp: keep cells inside the grid; without it a centre on the right or lower edge stands outside.

    Returns:
        Rows level by level, anchor-major. extra: `iou` (P,), the figure that was held to the threshold.
    """
    parts = [_level_rows(targets, level, index, threshold, clamp) for index, level in enumerate(levels)]
    xp = array_namespace(targets.boxes)
    columns = {name: xp.concat([part[name] for part in parts]) for name in parts[0]}
    overlap = columns.pop("iou")
    return Assignment(**columns, extra={"iou": overlap})


def shape_overlaps(targets: Targets, level: Level) -> Array:
    """(A, N) IoU of each anchor's shape with each box's on one level."""
    anchors = anchors_in_cells(level, targets.boxes)
    return shape_iou(anchors[:, None, :], boxes_in_cells(targets.boxes, level)[None, :, 2:])


def _level_rows(targets: Targets, level: Level, index: int, threshold: float, clamp: bool) -> dict[str, Array]:
    xp = array_namespace(targets.boxes)
    overlaps = shape_overlaps(targets, level)
    anchor, gt = xp.nonzero(overlaps > threshold)
    cell = xp.astype(boxes_in_cells(targets.boxes, level)[gt, :][:, :2], xp.int64)
    col, row = cell[:, 0], cell[:, 1]
    if clamp:
        col, row = col.clip(0, level.cols - 1), row.clip(0, level.rows - 1)
    image = xp.astype(targets.image[gt], xp.int64)
    return {
        "level": xp.zeros_like(col) + index,
        "image": image,
        "anchor": anchor,
        "row": row,
        "col": col,
        "gt": gt,
        "iou": overlaps[anchor, gt],
    }
