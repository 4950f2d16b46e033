"""Focal modulation of an unreduced BCE, in the form that soft targets need."""

from __future__ import annotations

import torch
from torch import Tensor


def focal(bce: Tensor, logit: Tensor, target: Tensor, gamma: float, alpha: float | None = 0.25) -> Tensor:
    """Focal loss: L a (1 - p_t)^gamma, p_t = y p + (1 - y)(1 - p), a = y alpha + (1 - y)(1 - alpha).

    Args:
        bce: (...) unreduced BCE of logit and target, pos_weight included. logit: (...). target: (...) in 0..1.
        gamma: 0 leaves the BCE as it is, but for alpha. alpha: None weighs both sides with 1.

    Source: arXiv 1708.02002; its use on soft targets as in ultralytics/yolov5 and yolov3.
    Differs: the paper has hard targets only. gamma below 1 has an infinite gradient where p_t is 1.
    """
    p = torch.sigmoid(logit)
    p_t = target * p + (1 - target) * (1 - p)
    return bce * _balance(target, alpha) * (1.0 - p_t) ** gamma


def quality_focal(bce: Tensor, logit: Tensor, target: Tensor, gamma: float, alpha: float | None = 0.25) -> Tensor:
    """Quality focal loss: L a |y - p|^gamma, for targets that are themselves a quality.

    Source: arXiv 2006.04388, equation 4; alpha as QFocalLoss of ultralytics/yolov5 has it.
    """
    return bce * _balance(target, alpha) * torch.abs(target - torch.sigmoid(logit)) ** gamma


def _balance(target: Tensor, alpha: float | None) -> Tensor | float:
    return 1.0 if alpha is None else target * alpha + (1 - target) * (1 - alpha)
