"""Sums over whole levels whose target is 0 but at some slots, on real tensors and on heads that are never built."""

from __future__ import annotations

import torch
from torch import Tensor

from detloss_cli.losses.elementwise import Elementwise
from detloss_cli.predictions.interface import Background, Predictions

Slots = tuple[Tensor, Tensor, Tensor, Tensor]


def sum_by_image(predictions: Predictions, level: int, channels: slice, loss: Elementwise, slots: Slots, at_slots: Tensor) -> Tensor:
    """Sum over the cells, anchors and some channels of a level, (B,) one an image.

    sum = sum over all cells of loss(x, 0) + sum over slots of (at_slots - loss(x, 0))

    Args:
        channels: which ones. loss: elementwise, of logits and targets. slots: image, anchor, row, col, each (S,) int64, no slot twice.
        at_slots: (S,) what the slots add instead, over all these channels: 0 for a slot that is ignored.
    """
    image, anchor, row, col = slots
    first = predictions.plane(level, channels.start)
    if isinstance(first, Background):
        images, _, rows, cols = first.shape
        per_anchor = torch.stack([_empty(predictions, level, channel, loss) for channel in range(channels.start, channels.stop)]).sum(0)
        everywhere = (per_anchor.sum() * (rows * cols)).expand(images)
        return everywhere.index_add(0, image, at_slots - per_anchor[anchor])
    width = channels.stop - channels.start
    dense = first[..., None] if width == 1 else predictions.dense(level)[..., channels]
    empty = loss(dense, torch.zeros_like(dense))
    return empty.flatten(1).sum(1).index_add(0, image, at_slots - empty[image, anchor, row, col].sum(1))


def _empty(predictions: Predictions, level: int, channel: int, loss: Elementwise) -> Tensor:
    """(A,) the loss of a constant plane where its target is 0."""
    plane = predictions.plane(level, channel)
    logit = plane.logit if isinstance(plane, Background) else plane
    return loss(logit, torch.zeros_like(logit))
