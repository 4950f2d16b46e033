"""The parts of a loss, and their sum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Term:
    """One term at one level.

    name: the family's own name: box, obj, cls, xy, heatmap. level: index into the head's levels, None in families without levels.
    raw: () the term before any gain, already reduced as the family reduces it. gain: everything it is multiplied with, balance included.
    count: how many rows or cells `raw` was reduced over. per_positive: (P_level,) the unreduced value of each positive, in the order of
    the level's rows, None where the term has none. scale: () or (P_level,) factor from that to what the row adds to `raw`; what is left
    of `raw` is the background's.
    """

    name: str
    level: int | None
    raw: Tensor
    gain: float
    count: int
    per_positive: Tensor | None = None
    scale: Tensor | float = 1.0

    @property
    def value(self) -> Tensor:
        """raw x gain, ()."""
        return self.raw * self.gain

    @property
    def parts(self) -> Tensor | None:
        """(P_level,) float64, what each positive adds to the value, None where the term has no positives of its own."""
        return None if self.per_positive is None else self.per_positive.double() * self.scale * self.gain


@dataclass(frozen=True, slots=True)
class LossBreakdown:
    """The loss of one batch.

    batch_factor: what the trainer multiplies the total with before backward. state: what the family carries to the next call
    (autobalance), None if nothing. extra: what the family shows beside its terms, by name.
    """

    terms: tuple[Term, ...]
    batch_factor: float = 1.0
    state: Any = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def total(self) -> Tensor:
        """Sum of value over all terms, (), without the batch factor."""
        total = self.terms[0].value
        for term in self.terms[1:]:
            total = total + term.value
        return total

    def item(self, name: str) -> Tensor:
        """Sum of value over the levels of one term, ()."""
        values = [term.value for term in self.terms if term.name == name]
        if not values:
            raise ValueError(f"expected one of {sorted({t.name for t in self.terms})}, got {name!r}")
        total = values[0]
        for value in values[1:]:
            total = total + value
        return total
