"""Gradients of each term at the outputs of each level, by autograd: which term drives which level."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from detloss_cli.facts.heads import GradientFacts
from detloss_cli.losses.term import LossBreakdown

# Numbers that are added up at a time: torch makes a float64 copy of them, as a whole twice the outputs.
PART = 1 << 20
Norms = Mapping[tuple[str, int], float]  # by term and level


def norms(breakdown: LossBreakdown, leaves: Sequence[Tensor]) -> dict[tuple[str, int], float]:
    """L2 norm of d(value x batch factor) / d(outputs) for each term and level; NaN where it is not finite.

    Args:
        leaves: one tensor a level that the breakdown was computed from, each requiring its gradient.
    """
    found: dict[tuple[str, int], float] = {}
    names = list(dict.fromkeys(term.name for term in breakdown.terms))
    for name in names:
        value = breakdown.item(name) * breakdown.batch_factor
        if not value.requires_grad:
            found |= {(name, level): 0.0 for level in range(len(leaves))}
            continue
        for level, leaf in enumerate(leaves):  # one level at a time: a gradient is as large as the outputs
            (grad,) = torch.autograd.grad(value, (leaf,), retain_graph=True, allow_unused=True)
            found[name, level] = 0.0 if grad is None else _norm(grad)
    return found


def _norm(grad: Tensor) -> float:
    # where an element is not finite the sum of squares is not either: one pass
    flat = grad.flatten()
    parts = (flat[start : start + PART] for start in range(0, len(flat), PART))
    value = math.hypot(*(float(torch.linalg.vector_norm(part, dtype=torch.float64)) for part in parts))
    return value if math.isfinite(value) else math.nan


@dataclass(slots=True)
class GradientCount:
    """Norms of every batch, in batch order."""

    batches: list[Norms] = field(default_factory=list)

    def facts(self, levels: Sequence[str], positives: Mapping[tuple[str, int], int]) -> tuple[GradientFacts, ...]:
        """Level by level in the order of the terms.

        Args:
            levels: names. positives: rows by term and level.
        """
        keys = list(dict.fromkeys(key for one in self.batches for key in one))
        values = {key: [one[key] for one in self.batches if key in one] for key in keys}
        mean = {key: _mean([value for value in found if math.isfinite(value)]) for key, found in values.items()}
        whole = [math.fsum(value for (_, at), value in mean.items() if at == level) for level in range(len(levels))]
        return tuple(
            GradientFacts(
                term=name,
                level=levels[level],
                norm=mean[name, level],
                share=mean[name, level] / whole[level] if whole[level] else None,
                positives=positives.get((name, level), 0),
                not_finite=sum(not math.isfinite(value) for value in values[name, level]),
            )
            for level in range(len(levels))
            for name, at in keys
            if at == level
        )


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0
