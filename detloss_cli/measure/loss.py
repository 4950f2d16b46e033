"""The loss over a data set: the mean over batches of what the trainer would compute for each."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from detloss_cli.facts import LevelFacts, LossFacts, MapFacts, TermFacts
from detloss_cli.inputs.head import Head
from detloss_cli.losses.stack import StackedLoss
from detloss_cli.losses.term import LossBreakdown
from detloss_cli.measure.maps import near_centres


@dataclass(frozen=True, slots=True)
class TermRows:
    """One term at one level, an entry a batch."""

    raw: array[float] = field(default_factory=lambda: array("d"))
    gain: array[float] = field(default_factory=lambda: array("d"))
    count: array[int] = field(default_factory=lambda: array("q"))

    @property
    def values(self) -> list[float]:
        """raw x gain of each."""
        return [raw * gain for raw, gain in zip(self.raw, self.gain, strict=True)]

    def extend(self, other: TermRows) -> None:
        """The batches of another count, after these."""
        self.raw.extend(other.raw)
        self.gain.extend(other.gain)
        self.count.extend(other.count)


@dataclass(slots=True)
class LossCount:
    """Terms of every batch, in batch order; sums are exact (`math.fsum`), so shards and threads do not change them.

    maps: what each batch showed of its heat maps. balance: objectness weights that the first batch began with. moved: those that the last
    one left behind.
    """

    head: Head
    rows: dict[tuple[str, int | None], TermRows] = field(default_factory=dict)
    factors: array[float] = field(default_factory=lambda: array("d"))
    targets: dict[int, list[tuple[float, int]]] = field(default_factory=dict)
    maps: list[Sequence[Mapping[str, Any]]] = field(default_factory=list)
    balance: Sequence[float] | None = None
    moved: Sequence[float] | None = None

    def add(self, breakdown: LossBreakdown) -> None:
        """One batch."""
        for term in breakdown.terms:
            rows = self.rows.setdefault((term.name, term.level), TermRows())
            rows.raw.append(float(term.raw))
            rows.gain.append(term.gain)
            rows.count.append(term.count)
        self.factors.append(breakdown.batch_factor)
        if "maps" in breakdown.extra:
            self.maps.append(breakdown.extra["maps"])
        if "balance" in breakdown.extra:
            self.balance = self.balance or breakdown.extra["balance"]
            self.moved = breakdown.state

    def extend(self, stack: StackedLoss) -> None:
        """Many batches, in their order."""
        for term in stack.terms:
            rows = self.rows.setdefault((term.name, term.level), TermRows())
            rows.raw.extend(term.raw.tolist())
            rows.gain.extend([term.gain] * len(term.raw))
            rows.count.extend(term.count.tolist())
        self.factors.extend(stack.factors.tolist())
        for level, (total, slots) in enumerate(stack.objectness):
            self.targets.setdefault(level, []).extend(zip(total.tolist(), slots.tolist(), strict=True))
        self.maps.extend(stack.maps)
        if stack.balance is not None:
            self.balance = self.moved = stack.balance

    def add_objectness(self, level: int, total: float, slots: int) -> None:
        """Sum of the objectness targets over one level's distinct positive slots of a batch."""
        self.targets.setdefault(level, []).append((total, slots))

    def objectness_mean(self) -> float | None:
        """Mean objectness target over the distinct positive slots of all levels, None without any."""
        rows = [row for rows in self.targets.values() for row in rows]
        slots = sum(count for _, count in rows)
        return math.fsum(total for total, _ in rows) / slots if slots else None

    def totals(self) -> dict[str, float]:
        """By term name, and `total`; a term sums over its levels."""
        count = max(1, len(self.factors))
        sums: dict[str, list[float]] = {}
        for (name, _), rows in self.rows.items():
            sums.setdefault(name, []).extend(rows.values)
        found = {name: math.fsum(values) / count for name, values in sums.items()}
        everything = [value for values in sums.values() for value in values]
        return {**found, "total": math.fsum(everything) / count}

    def facts(self, marks: dict[str, dict[str, float]], notes: dict[str, float]) -> LossFacts:
        """Facts of the run; `marks` and `notes` as they stand in the report."""
        totals = self.totals()
        terms = tuple(self._term(name, level, rows, totals["total"]) for (name, level), rows in self.rows.items())
        return LossFacts(terms, totals, max(self.factors, default=1.0), len(self.factors), marks, notes)

    def _term(self, name: str, level: int | None, rows: TermRows, total: float) -> TermFacts:
        batches, count = len(rows.raw), sum(rows.count)
        raw, gain, value = (math.fsum(column) / batches for column in (rows.raw, rows.gain, rows.values))
        return TermFacts(
            name=name,
            level=None if level is None else self.head.levels[level].name,
            raw=raw,
            gain=gain,
            value=value,
            share=value / total if total else None,
            count=count,
            per_positive=value / count if count else None,
        )

    def near_maps(self, counted: Sequence[MapFacts]) -> tuple[MapFacts, ...]:
        """The counted maps with what only a loss can tell: cells near a centre, and what those weigh."""
        pairs = (near_centres(self.maps, index) for index in range(len(counted)))
        return tuple(replace(one, near_cells=cells, near_weight=weight) for one, (cells, weight) in zip(counted, pairs, strict=True))

    def levels(self, counted: Sequence[LevelFacts], *, moving: bool = False) -> tuple[LevelFacts, ...]:
        """The counted levels with what only a loss can tell: balance, mean objectness target, weight of one positive.

        Args:
            moving: the loss changes its balance from batch to batch.
        """
        count = max(1, len(self.factors))
        values = [
            math.fsum(value for (_, level), rows in self.rows.items() if level == index for value in rows.values) / count
            for index in range(len(counted))
        ]
        weights = [value / level.positives if level.positives else None for value, level in zip(values, counted, strict=True)]
        first = next((weight for weight in weights if weight), None)
        found = []
        for index, level in enumerate(counted):
            slots = sum(n for _, n in self.targets.get(index, ()))
            mean = math.fsum(t for t, _ in self.targets.get(index, ())) / slots if slots else None
            weight = weights[index]
            relative = weight / first if weight is not None and first else None
            found.append(
                replace(
                    level,
                    balance=self.balance[index] if self.balance is not None else None,
                    balance_after=self.moved[index] if self.moved is not None and moving else None,
                    obj_target_mean=mean,
                    weight_per_positive=relative,
                )
            )
        return tuple(found)
