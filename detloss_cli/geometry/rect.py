"""Batches of pictures of like aspect: the shape that each batch of a rectangular training has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PAD = {"train": 0.0}  # strides added to each side before it is rounded up, by split
PAD_ELSEWHERE = 0.5  # a validation batch has half a stride more


def aspects(width: NDArray[np.int32], height: NDArray[np.int32]) -> NDArray[np.float64]:
    """(M,) height over width of each picture; 1 where its size is not known."""
    known = (width > 0) & (height > 0)
    return np.where(known, height.astype(np.float64), 1) / np.where(known, width.astype(np.float64), 1)


def batch_shapes(aspect: NDArray[np.float64], size: int, side: int, stride: int, pad: float) -> NDArray[np.int64]:
    """(K, 2) height and width of each batch's input, px.

    The longer side is the input size; the other one is that of the squarest picture of the batch: all wider than high: (largest aspect, 1);
    all higher than wide: (1, 1 / smallest aspect); else (1, 1). Times the input size over the stride, plus `pad`, rounded up, times the
    stride.

    Args:
        aspect: (M,) ascending. size: pictures a batch; the last one is smaller. side: input size, px. stride: the largest, px.

    Source: behaviour of ultralytics/yolov5 v7.0 and ultralytics 8.4 data loading; yolov7 and yolov3 (archive) do the same.
    """
    first = np.arange(0, len(aspect), size)
    last = np.minimum(first + size, len(aspect)) - 1
    smallest, largest = aspect[first], aspect[last]
    height = np.where(largest < 1, largest, 1.0)
    width = np.where(smallest > 1, 1 / smallest, 1.0)
    return np.ceil(np.stack((height, width), axis=1) * side / stride + pad).astype(np.int64) * stride
