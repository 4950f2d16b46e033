"""The loss of one logit against one target, chosen by name: what a what-if puts side by side."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from detloss_cli.losses.bce import bce_with_logits, blur
from detloss_cli.losses.focal import focal, quality_focal

Elementwise = Callable[[Tensor, Tensor], Tensor]
KINDS = ("bce", "focal", "qfocal", "blur")


def elementwise(kind: str, *, pos_weight: float = 1.0, gamma: float = 0.0) -> Elementwise:
    """A function of logits and targets, unreduced.

    Args:
        kind: one of `KINDS`. pos_weight: weight of the positive part, in all of them. gamma: of focal and qfocal.
    """

    def loss(logit: Tensor, target: Tensor) -> Tensor:
        bce = bce_with_logits(logit, target, pos_weight)
        if kind == "focal":
            return focal(bce, logit, target, gamma)
        if kind == "qfocal":
            return quality_focal(bce, logit, target, gamma)
        return blur(bce, logit, target) if kind == "blur" else bce

    if kind not in KINDS:
        raise ValueError(f"expected one of {KINDS}, got {kind!r}")
    return loss
