"""Pairs of boxes of one image that are almost the same, found by a sort and a few shifted compares: never every box against every box."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from detloss_cli.geometry.iou import IouForm, iou
from detloss_cli.inputs.labels import Labels
from detloss_cli.inputs.ordering import stable_order

# Overlap (intersection over union) from which two boxes are taken for one.
ALIKE = 0.95
# Boxes that overlap so have sides alike to a part of ALIKE; a little less, for what rounding does to the overlap.
SAME_SIDE = ALIKE - 0.01
NEVER_ZERO = IouForm(union=1e-300)
# How many neighbours, by centre, each box is compared with.
REACH = 8


def close_pairs(labels: Labels) -> Iterator[tuple[int, int]]:
    """(earlier, later) rows of one image whose boxes overlap by `ALIKE` or more; equal rows of one class are left to another rule.

    Each later row comes once, in order. In a crowd of more than `REACH` boxes with the same centre some pairs go unnoticed.
    """
    order = _by_centre(labels)
    image, cx = labels.image[order], labels.boxes[order, 0].astype(np.float64)
    reach = (1 - ALIKE) * labels.boxes[order, 2].astype(np.float64)
    found: dict[int, int] = {}
    at = np.arange(len(order))
    for step in range(1, REACH + 1):
        # centres of boxes that overlap by ALIKE lie within (1 - ALIKE) of a width; whose next neighbour does not, has no other either
        at = at[: np.searchsorted(at, len(order) - step)]
        at = at[(image[at + step] == image[at]) & (cx[at + step] - cx[at] <= reach[at])]
        if not len(at):
            break
        first, second = order[at], order[at + step]
        one, other = labels.boxes[first, 1:].astype(np.float64), labels.boxes[second, 1:].astype(np.float64)
        like = (np.minimum(one[:, 1:], other[:, 1:]) >= SAME_SIDE * np.maximum(one[:, 1:], other[:, 1:])).all(axis=1)
        like &= np.abs(one[:, 0] - other[:, 0]) <= (1 - SAME_SIDE) * one[:, 2]
        first, second = first[like], second[like]
        if not len(first):
            continue
        alike = (
            iou(labels.boxes[first].astype(np.float64), labels.boxes[second].astype(np.float64), form=NEVER_ZERO, frame="cxcywh") >= ALIKE
        )
        equal = (labels.boxes[first] == labels.boxes[second]).all(axis=1) & (labels.cls[first] == labels.cls[second])
        for a, b in zip(first[alike & ~equal].tolist(), second[alike & ~equal].tolist(), strict=True):
            found.setdefault(max(a, b), min(a, b))
    yield from ((found[later], later) for later in sorted(found))


def _by_centre(labels: Labels) -> NDArray[np.int64]:
    """(N,) rows by image, then by the centre's x, then by their place."""
    cx = labels.boxes[:, 0] + np.float32(0)  # -0.0 is 0.0
    if (cx < 0).any():
        return np.lexsort((cx, labels.image))
    # the bits of floats from 0 on are in the order of their values
    return stable_order((labels.image.astype(np.uint64) << np.uint64(32)) | np.ascontiguousarray(cx).view(np.uint32))
