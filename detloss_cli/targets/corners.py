"""Box corners on a map, as CornerNet takes them: one cell a corner, two maps a stack. Written for numpy and torch alike.

Source: arXiv 1808.01244, section 3.2; behaviour of princeton-vl/CornerNet@e5c39a3.
"""

from __future__ import annotations

from typing import NamedTuple

from array_api_compat import array_namespace

from detloss_cli.geometry.gaussian import gaussian_radius, whole_radius
from detloss_cli.inputs.head import Level
from detloss_cli.targets.annotations import image_order, index_in_image
from detloss_cli.targets.assignment import Array, Assignment, Targets

DRAWN, ZERO_SIZE, UNKNOWN_CLASS, BEYOND_TAGS, OFF_MAP = 0, 1, 2, 3, 4
UPPER_LEFT, LOWER_RIGHT = 0, 1


class Rules(NamedTuple):
    """imgsz: height and width of the network input, px. num_classes: C. min_overlap: of the radius. most: tags an image has room for.
    clip: corners are clipped to the picture, and boxes without size dropped, before anything else."""

    imgsz: tuple[int, int]
    num_classes: int
    min_overlap: float
    most: int
    clip: bool


def loaded_boxes(boxes: Array, rules: Rules) -> Array:
    """Corners as the target code gets them, (N, 4) float32 px: clipped to the last pixel, not to the edge."""
    xp = array_namespace(boxes)
    boxes = xp.astype(boxes, xp.float32)
    if not rules.clip:
        return boxes
    height, width = rules.imgsz
    x, y = xp.clip(boxes[:, 0::2], 0, width - 1), xp.clip(boxes[:, 1::2], 0, height - 1)
    return xp.stack((x[:, 0], y[:, 0], x[:, 1], y[:, 1]), axis=-1)


def corner_points(boxes: Array, level: Level, rules: Rules, corner: int) -> tuple[Array, Array, Array]:
    """Cell x, cell y (N,) int64 and the offset within the cell (N, 2) float32 of one corner.

    Cells are x cols / width, truncated towards 0. Where 511 px make 128 cells, that is no division by the stride.

    Args:
        boxes: (N, 4) as `loaded_boxes` gives them. corner: UPPER_LEFT or LOWER_RIGHT.
    """
    xp = array_namespace(boxes)
    along, down = _ratios(level, rules)
    point = xp.stack((boxes[:, 2 * corner] * along, boxes[:, 2 * corner + 1] * down), axis=-1)
    cell = xp.trunc(point)
    whole = xp.astype(cell, xp.int64)
    return whole[:, 0], whole[:, 1], point - cell


def corner_radius(boxes: Array, level: Level, rules: Rules) -> Array:
    """Radius of both corners' Gaussians, (N,) int64 cells, of boxes as `loaded_boxes` gives them."""
    xp = array_namespace(boxes)
    along, down = _ratios(level, rules)
    width = xp.ceil((boxes[:, 2] - boxes[:, 0]) * along)
    height = xp.ceil((boxes[:, 3] - boxes[:, 1]) * down)
    return whole_radius(gaussian_radius(height, width, rules.min_overlap, "cornernet"))


def corner_fates(targets: Targets, level: Level, rules: Rules) -> Array:
    """(N,) int64: DRAWN, or why a box has no corners on the map. Dropped boxes take no tag; the others are counted in file order."""
    xp = array_namespace(targets.boxes)
    boxes = loaded_boxes(targets.boxes, rules)
    sized = ((boxes[:, 2] - boxes[:, 0]) > 0) & ((boxes[:, 3] - boxes[:, 1]) > 0)
    finite = xp.all(xp.isfinite(boxes), axis=-1)
    dropped = ~sized if rules.clip else xp.zeros_like(sized)
    plain = xp.where(finite[:, None], boxes, xp.zeros_like(boxes))
    off = _off_map(plain, level, rules) | ~finite
    image = xp.where(dropped, xp.full_like(targets.image, -1), targets.image)
    fate = xp.where(index_in_image(image) < rules.most, DRAWN, BEYOND_TAGS)
    fate = xp.where(off, OFF_MAP, fate)
    fate = xp.where((targets.cls >= 0) & (targets.cls < rules.num_classes), fate, UNKNOWN_CLASS)
    return xp.where(dropped, ZERO_SIZE, fate)


def assign_corners(targets: Targets, levels: tuple[Level, ...], rules: Rules) -> Assignment:
    """Every box takes the cell of its upper left corner on even maps and of its lower right one on odd maps.

    Args:
        targets: boxes (N, 4) `xyxy_px`. levels: upper left, lower right, upper left, ... , all of one size.

    Returns:
        Rows map by map, image by image, in the order of the annotations: the k-th rows of the two maps of a stack are one box.
        extra: `radius` (P,) int64, cells.
    """
    xp = array_namespace(targets.boxes)
    order = image_order(targets.image)
    gt = order[corner_fates(targets, levels[0], rules)[order] == DRAWN]
    boxes = loaded_boxes(targets.boxes, rules)[gt, :]
    image = xp.astype(targets.image[gt], xp.int64)
    radius = corner_radius(boxes, levels[0], rules)
    parts = []
    for index, level in enumerate(levels):
        x, y, _ = corner_points(boxes, level, rules, index % 2)
        flat = y * level.cols + x  # a corner beyond the right edge stands for the first cell of the next row
        parts.append((xp.full_like(gt, index), image, xp.zeros_like(gt), flat // level.cols, flat % level.cols, gt, radius))
    level_, image_, anchor, row, col, gt_, radius_ = (xp.concat(column) for column in zip(*parts, strict=True))
    return Assignment(level_, image_, anchor, row, col, gt_, {"radius": radius_})


def _ratios(level: Level, rules: Rules) -> tuple[float, float]:
    return level.cols / rules.imgsz[1], level.rows / rules.imgsz[0]


def _off_map(boxes: Array, level: Level, rules: Rules) -> Array:
    """(N,) bool: a corner whose Gaussian misses the map by more than a cell, or whose cell number is none of the map's."""
    xp = array_namespace(boxes)
    radius = corner_radius(boxes, level, rules)
    off = xp.zeros_like(radius > 0)
    for corner in (UPPER_LEFT, LOWER_RIGHT):
        x, y, _ = corner_points(boxes, level, rules, corner)
        flat = y * level.cols + x
        off = off | (x < -radius - 1) | (x > level.cols + radius) | (y < -radius - 1) | (y > level.rows + radius)
        off = off | (flat < 0) | (flat >= level.rows * level.cols)
    return off
