"""Cells that are no negatives: their predicted box overlaps a true one."""

from __future__ import annotations

import torch
from torch import Tensor

from detloss_cli.geometry.iou import IouForm, iou

GIVEN_SIDES = IouForm(sides_from_corners=False)
ROWS_AT_ONCE = 64  # true boxes against a whole level at a time: what bounds memory on crowded images


def ignored_cells(boxes: Tensor, truth: Tensor, image: Tensor, images: int, threshold: float) -> Tensor:
    """Cells where the best IoU of the predicted box with a true box of its image reaches the threshold: (B, A, H, W) bool.

    An IoU that is NaN ignores its cell, as a comparison that fails does upstream. An image without true boxes ignores nothing.

    Args:
        boxes: (B, A, H, W, 4) predicted centre and size; (1, A, H, W, 4) if all images have the same.
        truth: (P, 4) centre and size, same unit. image: (P,) int64. images: B. threshold: in 0..1, reached is ignored.
    """
    predicted = boxes.expand(images, *boxes.shape[1:])
    hits = torch.zeros(predicted.shape[:-1], dtype=torch.int32, device=boxes.device)
    for start in range(0, truth.shape[0], ROWS_AT_ONCE):
        owner = image[start : start + ROWS_AT_ONCE]
        true = truth[start : start + ROWS_AT_ONCE, None, None, None, :]
        overlap = iou(predicted[owner], true, form=GIVEN_SIDES, frame="cxcywh")
        hits.index_add_(0, owner, (~(overlap < threshold)).to(hits.dtype))
    return hits > 0
