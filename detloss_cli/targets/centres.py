"""Box centres on a map, as CenterNet takes them: corners clipped to the grid, one cell an object. Written for numpy and torch alike.

Source: arXiv 1904.07850, section 3; behaviour of xingyizhou/CenterNet@4c50fd3 and zzzxxxttt/pytorch_simple_CenterNet_45@236cef1.
"""

from __future__ import annotations

from array_api_compat import array_namespace

from detloss_cli.geometry.gaussian import RadiusForm, gaussian_radius, whole_radius
from detloss_cli.inputs.head import Level
from detloss_cli.targets.annotations import image_order, index_in_image
from detloss_cli.targets.assignment import Array, Assignment, Targets

DRAWN, BEYOND_MAX_OBJS, ZERO_SIZE, UNKNOWN_CLASS = 0, 1, 2, 3


def clipped_boxes(boxes: Array, level: Level) -> Array:
    """Corners in cells, clipped to [0, cols - 1] and [0, rows - 1], (N, 4) float32.

    The bound is the last cell, not the edge of the map: a box that reaches the right edge loses up to a cell of its width there.

    Args:
        boxes: (N, 4) `xyxy_px`.
    """
    xp = array_namespace(boxes)
    cells = xp.astype(boxes, xp.float32) / level.stride
    x = xp.clip(cells[:, 0::2], 0, level.cols - 1)
    y = xp.clip(cells[:, 1::2], 0, level.rows - 1)
    return xp.stack((x[:, 0], y[:, 0], x[:, 1], y[:, 1]), axis=-1)


def sizes(boxes: Array) -> Array:
    """Width and height, (N, 2), of boxes (N, 4) by their corners."""
    return boxes[:, 2:] - boxes[:, :2]


def centres(boxes: Array) -> Array:
    """(x1 + x2) / 2, (y1 + y2) / 2, (N, 2), of boxes (N, 4) by their corners."""
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def fates(targets: Targets, level: Level, num_classes: int, max_objs: int) -> Array:
    """(N,) int64: DRAWN, or why a target is not.

    An annotation counts towards `max_objs` by its place in the file, whether or not those before it were drawn.
    """
    xp = array_namespace(targets.boxes)
    wh = sizes(clipped_boxes(targets.boxes, level))
    known = (targets.cls >= 0) & (targets.cls < num_classes)
    fate = xp.where(known, DRAWN, UNKNOWN_CLASS)
    fate = xp.where(index_in_image(targets.image) < max_objs, fate, BEYOND_MAX_OBJS)
    return xp.where((wh[:, 0] > 0) & (wh[:, 1] > 0), fate, ZERO_SIZE)


def assign_centres(
    targets: Targets, levels: tuple[Level, ...], num_classes: int, *, form: RadiusForm, min_overlap: float, max_objs: int
) -> Assignment:
    """Every object takes the cell that its centre lies in, on each of the maps.

    Args:
        targets: boxes (N, 4) `xyxy_px`. levels: one a stack, all of one size. num_classes: C. form, min_overlap: of the radius.
        max_objs: how many annotations of an image are looked at.

    Returns:
        Rows map by map, image by image, in the order of the annotations. Objects of one class that share a cell have a row each.
        extra: `radius` (P,) int64, cells, of the Gaussian.
    """
    xp = array_namespace(targets.boxes)
    order = image_order(targets.image)
    gt = order[fates(targets, levels[0], num_classes, max_objs)[order] == DRAWN]
    boxes = clipped_boxes(targets.boxes, levels[0])[gt, :]
    cell = xp.astype(xp.trunc(centres(boxes)), xp.int64)
    side = xp.ceil(sizes(boxes))
    radius = whole_radius(gaussian_radius(side[:, 1], side[:, 0], min_overlap, form))
    image = xp.astype(targets.image[gt], xp.int64)
    stacks = [xp.full_like(gt, index) for index in range(len(levels))]
    every = {"image": image, "anchor": xp.zeros_like(gt), "row": cell[:, 1], "col": cell[:, 0], "gt": gt, "radius": radius}
    columns = {name: xp.concat([column] * len(levels)) for name, column in every.items()}
    radii = columns.pop("radius")
    return Assignment(level=xp.concat(stacks), **columns, extra={"radius": radii})
