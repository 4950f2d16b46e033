"""The constant that minimises a weighted L1, smooth L1 or normalised L1: what a head reaches that knows no picture."""

from __future__ import annotations

import torch
from torch import Tensor

from detloss_cli.losses.masked_l1 import EPS, L1Kind

STEPS = 80  # of bisection, which halve any range of float64 to nothing


def l1_minimum(target: Tensor, weight: Tensor, kind: L1Kind = "l1") -> Tensor:
    """Of each column the c that minimises sum_k weight_k loss(c, target_k); 0 without rows.

    `l1` has the weighted median, `norm` the median of t + 1e-4 with weights divided by it, `sl1` the zero of the summed clipped distance.

    Args:
        target: (P, K) values. weight: (P,) positive.
    """
    if target.shape[0] == 0:
        return target.new_zeros(target.shape[1])
    if kind == "sl1":
        return _smooth_minimum(target, weight)
    value, mass = target, weight[:, None].expand_as(target)
    if kind == "norm":
        value = target + EPS
        mass = mass / value
    ordered, order = torch.sort(value, dim=0)
    passed = torch.cumsum(torch.gather(mass, 0, order), 0)
    middle = (passed < passed[-1] / 2).sum(0).clamp(max=target.shape[0] - 1)
    return torch.gather(ordered, 0, middle[None])[0]


def _smooth_minimum(target: Tensor, weight: Tensor) -> Tensor:
    low, high = target.min(0).values, target.max(0).values
    for _ in range(STEPS):
        middle = (low + high) / 2
        slope = (weight[:, None] * torch.clamp(middle - target, -1, 1)).sum(0)
        low, high = torch.where(slope < 0, middle, low), torch.where(slope < 0, high, middle)
    return (low + high) / 2
