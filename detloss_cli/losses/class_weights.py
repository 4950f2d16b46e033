"""Weights of classes from how often they occur."""

from __future__ import annotations

from collections.abc import Sequence

from detloss_cli.errors import DetlossError


def frequency_weights(counts: Sequence[int], power: float) -> tuple[float, ...]:
    """n^-power, divided by the mean over the classes that occur; a class without boxes gets 1.

    Args:
        counts: (C,) boxes of each class in the training set. power: 0 weighs all alike, 1 by inverse frequency.

    Raises:
        DetlossError: power outside 0..1, where the trainer stops.

    Source: behaviour of ultralytics 8.4.190, `cls_pw`.
    """
    if not 0 <= power <= 1:
        raise DetlossError(f"cls_pw {power:g} is outside 0..1: the trainer stops here", where="cls_pw", hint="0 turns class weights off")
    weights = [count**-power if count else None for count in counts]
    present = [weight for weight in weights if weight is not None]
    mean = sum(present) / len(present) if present else 1.0
    return tuple(1.0 if weight is None else weight / mean for weight in weights)
