"""Pairs of boxes of one image that are almost the same, found by a sort and a few shifted compares: never every box against every box."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from detloss_cli.geometry.iou import IouForm, iou
from detloss_cli.inputs.labels import Labels

# Overlap (intersection over union) from which two boxes are taken for one.
ALIKE = 0.95
NEVER_ZERO = IouForm(union=1e-300)
# How many neighbours, by centre, each box is compared with.
REACH = 8


def close_pairs(labels: Labels) -> Iterator[tuple[int, int]]:
    """(earlier, later) rows of one image whose boxes overlap by `ALIKE` or more; equal rows of one class are left to another rule.

    Each later row comes once, in order. In a crowd of more than `REACH` boxes with the same centre some pairs go unnoticed.
    """
    boxes = labels.boxes.astype(np.float64)
    order = np.lexsort((boxes[:, 0], labels.image))
    image, cx, size = labels.image[order], boxes[order, 0], boxes[order, 2:]
    found: dict[int, int] = {}
    for step in range(1, min(REACH + 1, len(order))):
        # centres of boxes that overlap by ALIKE lie within (1 - ALIKE) of a width
        near = (image[step:] == image[:-step]) & (cx[step:] - cx[:-step] <= (1 - ALIKE) * size[:-step, 0])
        if not near.any():
            break
        at = np.flatnonzero(near)
        first, second = order[at], order[at + step]
        alike = iou(boxes[first], boxes[second], form=NEVER_ZERO, frame="cxcywh") >= ALIKE
        equal = (labels.boxes[first] == labels.boxes[second]).all(axis=1) & (labels.cls[first] == labels.cls[second])
        for a, b in zip(first[alike & ~equal].tolist(), second[alike & ~equal].tolist(), strict=True):
            found.setdefault(max(a, b), min(a, b))
    yield from ((found[later], later) for later in sorted(found))
