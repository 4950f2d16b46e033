"""Binary cross entropy on logits, its smoothed targets and its reweighted relatives, all unreduced."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

PIECE = 2**19  # values at a time


def bce_with_logits(logit: Tensor, target: Tensor, pos_weight: float | None = None) -> Tensor:
    """Binary cross entropy, unreduced, in the form that does not overflow.

    L = (1 - y) x + (1 + (w - 1) y) (log(1 + exp(-|x|)) + max(-x, 0))

    Args:
        logit: (...) x. target: (...) y in 0..1, soft targets allowed. pos_weight: w, the weight of the positive part; None is 1.
    """
    if pos_weight is None or pos_weight == 1.0:
        return functional.binary_cross_entropy_with_logits(logit, target, reduction="none")
    weight = torch.full((), pos_weight, dtype=logit.dtype, device=logit.device)
    return functional.binary_cross_entropy_with_logits(logit, target, reduction="none", pos_weight=weight)


def bce_of_nothing(logit: Tensor) -> Tensor:
    """`bce_with_logits` against targets of 0, whatever the weight of the positive part: x - log sigmoid(x), in torch's own order."""
    return logit - functional.logsigmoid(logit)


def sum_of_nothing(logit: Tensor, factors: Tensor | None = None) -> Tensor:
    """Sum of `bce_of_nothing`, (), over a tensor too large for the caches of a processor: in pieces, in the order of its memory.

    Args:
        logit: (B, ..., C), at least three axes, in any layout. factors: (C,) weights of the last axis, None for 1.
    """
    order = sorted(range(1, logit.ndim), key=logit.stride, reverse=True)
    laid = logit.permute(0, *order)
    if factors is not None:
        own = order.index(logit.ndim - 1)
        factors = factors.reshape([-1 if axis == own else 1 for axis in range(logit.ndim - 1)])
    images = max(1, PIECE // max(1, laid[0].numel()))
    sums = []
    for piece in laid.split_with_sizes([len(laid[at : at + images]) for at in range(0, len(laid), images)]):
        values = bce_of_nothing(piece)
        values = values if factors is None else values * factors
        sums.append(values.flatten(2).sum(dim=2).flatten())  # more than one: threads would cut a single sum up
    return torch.cat(sums).sum()


def smooth_bce(eps: float) -> tuple[float, float]:
    """Targets of label smoothing: (1 - eps / 2, eps / 2) for present and absent classes.

    Source: arXiv 1902.04103, equation 3.
    """
    return 1.0 - 0.5 * eps, 0.5 * eps


def blur(bce: Tensor, logit: Tensor, target: Tensor, alpha: float = 0.05) -> Tensor:
    """BCE that forgives missing labels: L (1 - exp((p - y - 1) / (alpha + 1e-4))).

    Where the prediction is sure and the label says no, p - y is 1 and the weight 0.

    Args:
        bce: (...) unreduced loss of logit and target. alpha: width of the forgiven range.
    Source: BCEBlurWithLogitsLoss of ultralytics/yolov5.
    """
    return bce * (1 - torch.exp((torch.sigmoid(logit) - target - 1) / (alpha + 1e-4)))
