"""Assignment by centre sampling and scale range: each grid point takes the smallest box whose centre is near and whose size fits its level.

Source: arXiv 1904.01355, section 3; behaviour of torchvision 0.29.1, FCOS. Written for numpy and torch alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from array_api_compat import array_namespace, device

from detloss_cli.geometry.anchor_boxes import grid_step
from detloss_cli.inputs.head import Level
from detloss_cli.targets.assignment import Array, Assignment, Targets
from detloss_cli.targets.cells_between import cells_between

SHORT, LONG = 4.0, 8.0  # a level takes boxes whose farthest side is between these many strides from the point


@dataclass(frozen=True, slots=True)
class Bids:
    """Pairs of a box and a grid point inside it and near its centre. R rows, ordered by level, box, row, col.

    level, row, col, gt: (R,) int64. farthest: (R,) px from the point to the farthest side. fits: (R,) bool, in the level's range.
    """

    level: Array
    row: Array
    col: Array
    gt: Array
    farthest: Array
    fits: Array


def scale_range(levels: Sequence[Level], index: int) -> tuple[float, float]:
    """Smallest and largest farthest side of a level, px, both exclusive: 4 to 8 strides, 0 for the first, without limit for the last."""
    low = 0.0 if index == 0 else SHORT * levels[index].stride
    return low, float("inf") if index == len(levels) - 1 else LONG * levels[index].stride


def bids(targets: Targets, levels: Sequence[Level], imgsz: tuple[int, int], radius: float) -> Bids:
    """Every point that is inside a box and less than radius strides from its centre, in x and in y.

    Args:
        targets: boxes (N, 4) `xyxy_px`. imgsz: height and width, px.
    """
    xp = array_namespace(targets.boxes)
    parts: dict[str, list[Array]] = {name: [] for name in ("level", "row", "col", "gt", "farthest", "fits")}
    centre = (targets.boxes[:, :2] + targets.boxes[:, 2:]) / 2
    for index, level in enumerate(levels):
        step = grid_step(level, imgsz)
        gt, row, col = cells_between(centre, centre, (level.rows, level.cols), step, offset=0.0, margin=-radius * level.stride)
        boxes = targets.boxes[gt, :]
        spacing = xp.asarray(step, dtype=boxes.dtype, device=device(boxes))
        point = xp.astype(xp.stack((col, row), axis=-1), boxes.dtype) * spacing
        sides = xp.concat((point - boxes[:, :2], boxes[:, 2:] - point), axis=-1)
        kept = xp.all(sides > 0, axis=-1)
        gt, row, col, farthest = gt[kept], row[kept], col[kept], xp.max(sides, axis=-1)[kept]
        low, high = scale_range(levels, index)
        found = (xp.zeros_like(gt) + index, row, col, gt, farthest, (farthest > low) & (farthest < high))
        for name, column in zip(parts, found, strict=True):
            parts[name].append(column)
    return Bids(**{name: xp.concat(columns) for name, columns in parts.items()})


def assign_by_centre_radius(targets: Targets, levels: Sequence[Level], imgsz: tuple[int, int], *, radius: float = 1.5) -> Assignment:
    """Each point takes the smallest of the boxes that bid for it and fit its level; the first of equals.

    smallest = largest of 1e8 - area, in the dtype of the boxes: float32 values there are 8 apart, so that near areas count as equal.

    Args:
        targets: boxes (N, 4) `xyxy_px`. imgsz: height and width, px. radius: strides.

    Returns:
        Rows by image, level, row, col. extra: `farthest`, px, and `area`, px^2.
    """
    xp = array_namespace(targets.boxes)
    found = bids(targets, levels, imgsz, radius)
    area = box_areas(targets.boxes)
    key = _slots(found, targets, levels)
    worth = 1e8 - area[found.gt]
    chosen = xp.nonzero(found.fits & (worth >= 1e-5))[0]
    chosen = chosen[xp.argsort(-worth[chosen], stable=True)]
    chosen = chosen[xp.argsort(key[chosen], stable=True)]
    ordered = xp.concat((xp.full((1,), -1, dtype=key.dtype, device=device(key)), key[chosen]))
    won = chosen[ordered[1:] != ordered[:-1]]
    gt = found.gt[won]
    return Assignment(
        level=found.level[won],
        image=xp.astype(targets.image[gt], xp.int64),
        anchor=xp.zeros_like(gt),
        row=found.row[won],
        col=found.col[won],
        gt=gt,
        extra={"farthest": found.farthest[won], "area": area[gt]},
    )


def box_areas(boxes: Array) -> Array:
    """(N,) width times height of boxes (N, 4) by their corners."""
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def _slots(found: Bids, targets: Targets, levels: Sequence[Level]) -> Array:
    """One number for each point, ordered by image, level, row, col, (R,)."""
    xp = array_namespace(found.row)
    sizes = [level.rows * level.cols for level in levels]
    starts = xp.asarray([sum(sizes[:i]) for i in range(len(sizes))], dtype=xp.int64, device=device(found.row))
    cols = xp.asarray([level.cols for level in levels], dtype=xp.int64, device=device(found.row))
    image = xp.astype(targets.image[found.gt], xp.int64)
    return image * sum(sizes) + starts[found.level] + found.row * cols[found.level] + found.col
