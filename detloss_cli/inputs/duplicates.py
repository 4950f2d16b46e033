"""Which rows repeat an earlier row of the same image, found by sorting a hash: linear in the rows, whatever one image holds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detloss_cli.inputs.ordering import stable_order


def first_equal(image: NDArray[np.int64], cls: NDArray[np.int64] | None, boxes: NDArray[np.float32]) -> NDArray[np.int64]:
    """(N,) the index of the first row equal to each, its own where there is none before it.

    Args:
        image: (N,) ascending.
        cls: (N,) class ids; None compares boxes alone.
        boxes: (N, 4) float32, compared bit by bit, but 0 equals -0.
    """
    count = len(image)
    own = np.arange(count)
    if count < 2:
        return own
    # + 0.0 turns -0.0 into 0.0
    words = np.ascontiguousarray(boxes + np.float32(0)).view(np.uint64).reshape(-1, 2)
    key = image.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    if cls is not None:
        key = (key ^ cls.astype(np.uint64)) * np.uint64(0xC2B2AE3D27D4EB4F)
    for column in (0, 1):
        key = (key ^ (key >> np.uint64(29)) ^ words[:, column]) * np.uint64(0xBF58476D1CE4E5B9)
    ranked = np.sort(key)
    if not (ranked[1:] == ranked[:-1]).any():
        return own
    order = stable_order(key)
    before, after = order[:-1], order[1:]
    same = (key[before] == key[after]) & (image[before] == image[after]) & (words[before] == words[after]).all(axis=1)
    if cls is not None:
        same &= cls[before] == cls[after]
    if not same.any():
        return own
    # Each run of equal keys starts where `same` is False; equal rows are adjacent as the sort is stable.
    start = np.r_[0, np.where(~same, np.arange(1, count), 0)]
    result = np.empty(count, dtype=np.int64)
    result[order] = order[np.maximum.accumulate(start)]
    return result
