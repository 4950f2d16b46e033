"""The constant logit that minimises a term: what a model reaches that knows only frequencies."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

LIMIT = 30.0  # a sigmoid is 0 or 1 to within 1e-13 beyond it


def bce_minimum(mean_target: Tensor, pos_weight: float = 1.0) -> Tensor:
    """logit of w y / (w y + 1 - y): where the mean of BCE over targets of mean y is smallest.

    Args:
        mean_target: (...) y in 0..1. pos_weight: w.

    Returns:
        (...) within +-`LIMIT`.
    """
    weighted = pos_weight * mean_target
    return torch.logit(weighted / (weighted + 1 - mean_target)).clamp(-LIMIT, LIMIT)


def rate_minimum(loss: Callable[[Tensor, Tensor], Tensor], rate: Tensor) -> Tensor:
    """Where y loss(x, 1) + (1 - y) loss(x, 0) is smallest, by search: the constant for a hard target that is 1 in a share y of cells.

    Args:
        loss: elementwise, of logits and targets. rate: (...) y in 0..1.
    """
    one, zero = torch.ones_like(rate), torch.zeros_like(rate)
    return minimum(lambda x: rate * loss(x, one) + (1 - rate) * loss(x, zero), rate)


def minimum(loss: Callable[[Tensor], Tensor], like: Tensor) -> Tensor:
    """Where a unimodal function is smallest, for many at once, by golden section to 1e-12.

    Args:
        loss: (...) logits to (...) values, each its own function. like: (...) gives shape, dtype and device.
    """
    golden = (math.sqrt(5) - 1) / 2
    low, high = torch.full_like(like, -LIMIT), torch.full_like(like, LIMIT)
    for _ in range(66):
        width = (high - low) * golden
        left, right = high - width, low + width
        fall = loss(left) < loss(right)
        low, high = torch.where(fall, low, left), torch.where(fall, right, high)
    return (low + high) / 2
