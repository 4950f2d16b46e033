"""Box formats, for numpy and torch alike: (..., 4) arrays, any unit."""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

Array = Any


def cxcywh_to_xyxy(boxes: Array) -> Array:
    """Centre and size to corners: c -+ size / 2.

    Args:
        boxes: (..., 4) centre x, centre y, width, height.
    """
    xp = array_namespace(boxes)
    half_w, half_h = boxes[..., 2] / 2, boxes[..., 3] / 2
    return xp.stack((boxes[..., 0] - half_w, boxes[..., 1] - half_h, boxes[..., 0] + half_w, boxes[..., 1] + half_h), axis=-1)


def xyxy_to_cxcywh(boxes: Array) -> Array:
    """Corners to centre and size.

    Args:
        boxes: (..., 4) left, top, right, bottom.
    """
    xp = array_namespace(boxes)
    x1, y1, x2, y2 = boxes[..., 0], boxes[..., 1], boxes[..., 2], boxes[..., 3]
    return xp.stack(((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1), axis=-1)


def scaled_xy(boxes: Array, width: float, height: float) -> Array:
    """Horizontal values times width, vertical ones times height: works for both formats.

    Args:
        boxes: (..., 4) in either format.
        width, height: factors, such as pixels of the network input.
    """
    xp = array_namespace(boxes)
    return xp.stack((boxes[..., 0] * width, boxes[..., 1] * height, boxes[..., 2] * width, boxes[..., 3] * height), axis=-1)
