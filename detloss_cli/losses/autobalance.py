"""Objectness weights of the levels that follow their losses."""

from __future__ import annotations

from collections.abc import Sequence

from detloss_cli.errors import DetlossError

MIDDLE_STRIDE = 16
KEPT = 0.9999


def rebalanced(weights: Sequence[float], losses: Sequence[float], strides: Sequence[int]) -> tuple[float, ...]:
    """The weights of the next batch: a level whose objectness is large gets less.

    w_i <- 0.9999 w_i + 0.0001 / loss_i, then all divided by that of stride 16.

    Args:
        weights: of the batch that has just been computed. losses: raw objectness of each level, before weights.

    Raises:
        DetlossError: no level of stride 16, where the release raises ValueError.

    Source: behaviour of ultralytics/yolov5 5.0 to 7.0.
    """
    if MIDDLE_STRIDE not in strides:
        raise DetlossError("autobalance needs a level of stride 16", where="--autobalance", hint=f"this head has {tuple(strides)}")
    moved = [weight * KEPT + (1 - KEPT) / loss for weight, loss in zip(weights, losses, strict=True)]
    middle = moved[list(strides).index(MIDDLE_STRIDE)]
    return tuple(weight / middle for weight in moved)
