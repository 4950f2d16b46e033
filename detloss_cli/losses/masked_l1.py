"""L1 on the values of key points, and the three ways in which CenterNet and CornerNet weigh and divide it."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

L1Kind = Literal["l1", "sl1", "norm"]
EPS = 1e-4


def masked_l1(predicted: Tensor, target: Tensor, kind: L1Kind = "l1") -> Tensor:
    """Unreduced loss of each value.

    l1: |p - t|. sl1: (p - t)^2 / 2 where |p - t| < 1, |p - t| - 1/2 elsewhere. norm: |p / (t + 1e-4) - 1|.

    Args:
        predicted, target: (P, 2) values at the P objects.
    Source: RegL1Loss, RegLoss and NormRegL1Loss of xingyizhou/CenterNet@4c50fd3; _regr_loss of princeton-vl/CornerNet@e5c39a3 is `sl1`.
    """
    if kind == "sl1":
        return functional.smooth_l1_loss(predicted, target, reduction="none")
    if kind == "norm":
        return torch.abs(predicted / (target + EPS) - 1)
    return torch.abs(predicted - target)


def divisor(objects: int, kind: L1Kind = "l1") -> float:
    """What the sum is divided by: 2 n + 1e-4 for `l1` and `norm`, whose mask is repeated for both values, n + 1e-4 for `sl1`."""
    return (objects if kind == "sl1" else 2 * objects) + EPS


def divisors(objects: Tensor, kind: L1Kind = "l1") -> Tensor:
    """The same of many batches, (K,) float64. objects: (K,) of each."""
    return (objects.double() if kind == "sl1" else 2 * objects.double()) + EPS
