"""From raw logits to boxes in cells, the centre relative to its cell."""

from __future__ import annotations

import torch
from torch import Tensor


def decode_sigmoid(raw: Tensor, anchors: Tensor) -> Tensor:
    """xy = 2 sigmoid(t) - 0.5, wh = (2 sigmoid(t))^2 anchor: yolov5 and yolov7. xy in (-0.5, 1.5), wh below 4 anchors.

    Args:
        raw: (P, 4) logits. anchors: (P, 2) cells.
    """
    p = torch.sigmoid(raw)
    return torch.cat((p[:, :2] * 2 - 0.5, (p[:, 2:] * 2) ** 2 * anchors), dim=1)


def encode_sigmoid(boxes: Tensor, anchors: Tensor, eps: float = 1e-6) -> Tensor:
    """The logits that `decode_sigmoid` turns into these boxes, or the nearest that it can reach.

    Args:
        boxes: (P, 4) cells. anchors: (P, 2) cells. eps: how near to its limits the sigmoid may come.
    """
    p = torch.cat(((boxes[:, :2] + 0.5) / 2, (boxes[:, 2:] / anchors).clamp(min=0).sqrt() / 2), dim=1)
    return torch.logit(p.clamp(eps, 1 - eps))


def decode_exponential(raw: Tensor, anchors: Tensor, limit: float = 1e3) -> Tensor:
    """xy = sigmoid(t), wh = min(exp(t), limit) anchor: yolov3.

    Args:
        raw: (P, 4) logits. anchors: (P, 2) cells. limit: above it the size carries no gradient.
    """
    return torch.cat((torch.sigmoid(raw[:, :2]), torch.exp(raw[:, 2:]).clamp(max=limit) * anchors), dim=1)


def encode_exponential(boxes: Tensor, anchors: Tensor, eps: float = 1e-6) -> Tensor:
    """The logits that `decode_exponential` turns into these boxes, or the nearest that it can reach.

    Args:
        boxes: (P, 4) cells. anchors: (P, 2) cells. eps: how near to its limits the sigmoid may come, and the least ratio of sizes.
    """
    return torch.cat((torch.logit(boxes[:, :2].clamp(eps, 1 - eps)), torch.log((boxes[:, 2:] / anchors).clamp(min=eps))), dim=1)
