"""Boxes as the numbers that anchor-free and one-stage heads predict for them, both ways. Pixels throughout, for numpy and torch alike."""

from __future__ import annotations

from typing import Any

from array_api_compat import array_namespace

from detloss_cli.geometry.convert import xyxy_to_cxcywh

Array = Any


def decode_from_cell(raw: Array, cell: Array, stride: Array) -> Array:
    """xy = (t + cell) stride, wh = exp(t) stride: YOLOX.

    Args:
        raw: (P, 4) x, y, w, h as predicted. cell: (P, 2) col, row. stride: (P, 1) px.

    Returns:
        (P, 4) `cxcywh`, px.
    """
    xp = array_namespace(raw)
    return xp.concat(((raw[:, :2] + cell) * stride, xp.exp(raw[:, 2:]) * stride), axis=1)


def encode_from_cell(boxes: Array, cell: Array, stride: Array, eps: float = 1e-8) -> Array:
    """What `decode_from_cell` turns into these boxes: centre / stride - cell, log(size / stride + eps).

    Args:
        boxes: (P, 4) `cxcywh`, px. cell, stride: as there. eps: keeps the logarithm of a zero side finite.
    """
    xp = array_namespace(boxes)
    return xp.concat((boxes[:, :2] / stride - cell, xp.log(boxes[:, 2:] / stride + eps)), axis=1)


def decode_distances(raw: Array, point: Array, size: Array) -> Array:
    """Corners from distances to the four sides: (x - l, y - t, x + r, y + b), distances in units of size: FCOS.

    Args:
        raw: (P, 4) l, t, r, b as predicted. point: (P, 2) x, y, px. size: (P, 1) px.

    Returns:
        (P, 4) `xyxy`, px.
    """
    xp = array_namespace(raw)
    return xp.concat((point - raw[:, :2] * size, point + raw[:, 2:] * size), axis=1)


def encode_distances(boxes: Array, point: Array, size: Array) -> Array:
    """What `decode_distances` turns into these boxes.

    Args:
        boxes: (P, 4) `xyxy`, px. point, size: as there.
    """
    xp = array_namespace(boxes)
    return xp.concat(((point - boxes[:, :2]) / size, (boxes[:, 2:] - point) / size), axis=1)


def encode_deltas(boxes: Array, anchors: Array) -> Array:
    """((x - ax) / aw, (y - ay) / ah, log(w / aw), log(h / ah)): R-CNN and RetinaNet, all weights 1.

    Args:
        boxes, anchors: (P, 4) `xyxy`, px.

    Source: arXiv 1311.2524, appendix C.
    """
    xp = array_namespace(boxes)
    wanted, given = xyxy_to_cxcywh(boxes), xyxy_to_cxcywh(anchors)
    return xp.concat(((wanted[:, :2] - given[:, :2]) / given[:, 2:], xp.log(wanted[:, 2:] / given[:, 2:])), axis=1)
