"""Penalty-reduced focal loss on a heat map: centres pull up, their surroundings push down the less the nearer they are.

Source: arXiv 1808.01244, equation 1 (alpha 2, beta 4); arXiv 1904.07850, equation 1; princeton-vl/CornerNet@e5c39a3.
"""

from __future__ import annotations

import torch
from torch import Tensor

FLOOR = 1e-4


def heat_probability(logit: Tensor) -> Tensor:
    """p = clamp(sigmoid(x), 1e-4, 1 - 1e-4): beyond |x| = 9.21 there is no gradient."""
    return torch.clamp(torch.sigmoid(logit), FLOOR, 1 - FLOOR)


def positive_focal(logit: Tensor) -> Tensor:
    """-(1 - p)^2 log p, of a cell whose target is 1, unreduced."""
    p = heat_probability(logit)
    return -((1 - p) ** 2) * torch.log(p)


def negative_focal(logit: Tensor) -> Tensor:
    """-p^2 log(1 - p), of a cell whose target is 0, unreduced; a cell of target Y below 1 counts (1 - Y)^4 of it."""
    p = heat_probability(logit)
    return -(p**2) * torch.log(1 - p)


def negative_weight(target: Tensor) -> Tensor:
    """(1 - Y)^4: 1 far from every object, 0 at a centre, which is how a centre is no negative."""
    return (1 - target) ** 4


def heatmap_focal(logit: Tensor, target: Tensor) -> Tensor:
    """Unreduced loss of every cell: the positive part where Y is 1 exactly, the weighted negative part elsewhere.

    Args:
        logit: (...). target: (...) Y in 0..1, in the dtype of the logits.
    """
    return torch.where(target == 1, positive_focal(logit), negative_weight(target) * negative_focal(logit))


def over_centres(total: Tensor, centres: Tensor | int) -> Tensor:
    """total / n, and total itself if n is 0: the negatives of a batch without objects are summed and not divided.

    Args:
        total: () summed loss. centres: n, the cells whose target is 1 over the batch and all classes: objects of one class that share a
            cell are one.
    """
    return total / torch.as_tensor(centres, dtype=total.dtype, device=total.device).clamp(min=1)
