"""detloss's loss beside the trainer's own for the same tensors, and the setting that explains a difference."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import torch

from detloss_cli.errors import DetlossError
from detloss_cli.families.interface import Family
from detloss_cli.inputs.head import Head
from detloss_cli.losses.term import LossBreakdown
from detloss_cli.predictions.dump import LossSaid

# float32 is wider than its digits: torch's BCE of logits far below 0 was seen to be off by 1.3e-5 itself
TOLERANCE = {torch.float32: 5e-5, torch.float64: 5e-5, torch.float16: 2e-3, torch.bfloat16: 2e-2}
# Below this share of the total an item counts as rounding.
NOISE = 1e-3
Compute = Callable[[Any, str, Any], LossBreakdown]  # hyp, profile, state


@dataclass(frozen=True, slots=True)
class Parity:
    """trainer, own: total and items by name. difference: the largest, relative. explained: the setting that makes both equal, or ""."""

    trainer: dict[str, float]
    own: dict[str, float]
    difference: float
    tolerance: float
    explained: str = ""

    @property
    def agrees(self) -> bool:
        return self.difference <= self.tolerance


def compare(
    family: Family, head: Head, hyp: Any, profile: str, state: Any, said: LossSaid, images: int, dtype: torch.dtype, compute: Compute
) -> Parity:
    """The two side by side; where they differ, other settings are tried until one brings them together.

    Args:
        dtype: of the stored logits. compute: the loss of the same tensors under another hyp, profile and state.
    """
    trainer = _trainer(family, said, images)
    tolerance = TOLERANCE.get(dtype, max(TOLERANCE.values()))
    own = _own(family, head, hyp, profile, compute(hyp, profile, state), said)
    found = Parity(trainer, own, _difference(trainer, own), tolerance)
    if found.agrees:
        return found
    for words, other, release, weights in _alternatives(family, head, hyp, profile, state):
        try:
            again = _own(family, head, other, release, compute(other, release, weights), said)
        except (DetlossError, ValueError, IndexError):
            continue  # a release that stops at these targets explains nothing
        if _difference(trainer, again) <= tolerance:
            return replace(found, explained=words)
    half = dtype in (torch.float16, torch.bfloat16) and found.difference <= 10 * tolerance
    return replace(found, explained="half precision: the trainer added up in 16 bits" if half else "")


def _trainer(family: Family, said: LossSaid, images: int) -> dict[str, float]:
    total = math.fsum(said.returned) if all(map(math.isfinite, said.returned)) else math.nan
    items = dict(zip((*family.TERMS, "sum"), said.items, strict=False))
    return {"total": total / images if said.times_batch else total, **items}


def _own(family: Family, head: Head, hyp: Any, profile: str, breakdown: LossBreakdown, said: LossSaid) -> dict[str, float]:
    """Total and items as the trainer returns them: as many items as it has."""
    special = getattr(family, "items", None)
    if special is not None:
        values = [float(value) for value in special(head, hyp, breakdown, profile)]
    else:
        values = [float(breakdown.item(name)) for name in family.TERMS]
    total = float(breakdown.total)
    items = dict(zip((*family.TERMS, "sum"), (*values, total), strict=False))
    kept = (*family.TERMS, "sum")[: len(said.items)]
    return {"total": total, **{name: items[name] for name in kept}}


def _difference(trainer: dict[str, float], own: dict[str, float]) -> float:
    """The largest relative difference; both not finite is none."""
    worst = 0.0
    for name, value in trainer.items():
        other = own.get(name, math.nan)
        if not math.isfinite(value) and not math.isfinite(other):
            continue
        size = max(abs(value), NOISE * abs(trainer["total"]), 1e-12)
        gap = abs(value - other) / size
        worst = max(worst, gap if math.isfinite(gap) else math.inf)
    return worst


def _alternatives(family: Family, head: Head, hyp: Any, profile: str, state: Any) -> Iterator[tuple[str, Any, str, Any]]:
    """Settings that people get wrong, most common first: words, hyp, profile, state."""
    for release in reversed(list(family.PROFILES)):
        if release != profile:
            yield f"profile {release} instead of {profile}", hyp, release, state
    names = {field.name for field in fields(hyp)}
    for name, values in (("gr", (0.0, 1.0)), ("label_smoothing", (0.0, 0.1)), ("fl_gamma", (0.0, 1.5)), ("sort_obj_iou", (False, True))):
        for value in values if name in names else ():
            if getattr(hyp, name) != value:
                yield f"{name} {value:g} instead of {getattr(hyp, name):g}", replace(hyp, **{name: value}), profile, state
    scaled = family.scaled(hyp, head, profile)
    if scaled != hyp:
        yield "gains scaled by the trainer once more", scaled, profile, state
        yield "gains not scaled by the trainer", _unscaled(family, head, hyp, profile), profile, state
    if state is not None:
        yield "objectness weights of the release instead of those that autobalance left", hyp, profile, None


def _unscaled(family: Family, head: Head, hyp: Any, profile: str) -> Any:
    """The hyp from before the trainer scaled its gains."""
    factors = {gain.key: gain.factor("train.py") for gain in family.gain_ledger(hyp, head, profile)}
    known = {field.name for field in fields(hyp)}
    return replace(hyp, **{key: getattr(hyp, key) / factor for key, factor in factors.items() if key in known and factor})
