"""Where the boxes of a picture lie in the network input. Labels are normalised to the picture, trainers see them after letterboxing."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Geometry = Literal["letterbox", "stretch", "square"]
Rounding = Literal["floor", "ceil"]
EDGE_PX = 1e-3  # yolov5 clips corners to [0, side - 1e-3]


def to_network(
    boxes: NDArray[np.float32],
    width: NDArray[np.int32],
    height: NDArray[np.int32],
    imgsz: tuple[int, int],
    geometry: Geometry,
    rounding: Rounding = "floor",
    frame: tuple[int, int] | None = None,
) -> NDArray[np.float32]:
    """Boxes in 0..1 of the network input.

    letterbox: r = min(H / h0, W / w0); unless r is 1 the picture becomes (round(w0 r), round(h0 r)); it is centred, corners are clipped to
    [0, side - 1e-3]. stretch: the picture fills the input, so nothing changes. square: the picture is taken for a square one.

    Args:
        boxes: (N, 4) centre x, centre y, width, height in 0..1 of the picture. width, height: (N,) of each box's picture, pixels.
        imgsz: H, W of the network input, pixels. rounding: of the resized sides; yolov5 7.0 and before floor, later trainers ceil.
        frame: H, W of the input of a rectangular batch, in which a picture as large as letterbox makes it for `imgsz` is centred.

    Source: behaviour of ultralytics/yolov5 v7.0 data loading, in float32 as there.
    """
    side_h, side_w = frame or imgsz
    if geometry == "stretch" or (geometry == "square" and side_h == side_w):
        return boxes
    if geometry == "square":
        width = height = np.ones(len(boxes), dtype=np.int32)
        new_w = new_h = np.full(len(boxes), min(imgsz), dtype=np.float32)
    else:
        new_w, new_h = resized(width, height, imgsz, rounding)
    pad_w, pad_h = (side_w - new_w) / 2, (side_h - new_h) / 2
    half = np.float32(2)
    x1 = new_w * (boxes[:, 0] - boxes[:, 2] / half) + pad_w
    y1 = new_h * (boxes[:, 1] - boxes[:, 3] / half) + pad_h
    x2 = new_w * (boxes[:, 0] + boxes[:, 2] / half) + pad_w
    y2 = new_h * (boxes[:, 1] + boxes[:, 3] / half) + pad_h
    if geometry == "letterbox":
        x1, x2 = np.clip(x1, 0, side_w - EDGE_PX), np.clip(x2, 0, side_w - EDGE_PX)
        y1, y2 = np.clip(y1, 0, side_h - EDGE_PX), np.clip(y2, 0, side_h - EDGE_PX)
    scaled = ((x1 + x2) / half / side_w, (y1 + y2) / half / side_h, (x2 - x1) / side_w, (y2 - y1) / side_h)
    return np.stack(scaled, axis=1).astype(np.float32)


def resized(
    width: NDArray[np.int32], height: NDArray[np.int32], imgsz: tuple[int, int], rounding: Rounding
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Sides of each picture inside the network input, whole pixels as float32."""
    w, h = width.astype(np.float64), height.astype(np.float64)
    ratio = np.minimum(imgsz[0] / h, imgsz[1] / w)
    if rounding == "floor":
        new_w, new_h = np.floor(w * ratio), np.floor(h * ratio)
    else:
        new_w, new_h = np.minimum(np.ceil(w * ratio), imgsz[1]), np.minimum(np.ceil(h * ratio), imgsz[0])
    same = ratio == 1
    return np.where(same, w, new_w).astype(np.float32), np.where(same, h, new_h).astype(np.float32)
