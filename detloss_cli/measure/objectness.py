"""Objectness at the overlaps that boxes have by now: what a constant answer and an exact one would cost there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from detloss_cli.facts.heads import ReachedFacts
from detloss_cli.inputs.head import Head
from detloss_cli.losses.term import LossBreakdown
from detloss_cli.targets.assignment import Assignment

TERM = "obj"


@dataclass(slots=True)
class Reached:
    """Sums over batches. Only of plain BCE, whose best constant is the mean of its targets: entropy then is what it costs.

    targets: sum of the targets by level and anchor. exact: sum of the entropies of the targets by level. cells: of each level and anchor.
    gains: of each level and batch. values: of the term and batch.
    """

    head: Head
    targets: dict[tuple[int, int], float] = field(default_factory=dict)
    exact: dict[int, float] = field(default_factory=dict)
    cells: dict[int, int] = field(default_factory=dict)
    gains: dict[int, list[float]] = field(default_factory=dict)
    values: list[float] = field(default_factory=list)

    def add(self, hyp: Any, breakdown: LossBreakdown, assignment: Assignment, images: int) -> None:
        """One batch; nothing of a family whose objectness has no such target, or of another loss than plain BCE."""
        extra: Mapping[str, Tensor] = breakdown.extra
        plain = getattr(hyp, "obj_pw", 1.0) == 1 and getattr(hyp, "fl_gamma", 0.0) == 0 and getattr(hyp, "element", None) in (None, "bce")
        if "objectness_target" not in extra or not plain:
            return
        self.values.append(float(breakdown.item(TERM).detach()))
        for index, level in enumerate(self.head.levels):
            won = extra["wins"] & (assignment.level == index)
            target = extra["objectness_target"][won].double()
            self.exact[index] = self.exact.get(index, 0.0) + float(_entropy(target).sum())
            self.cells[index] = self.cells.get(index, 0) + images * level.rows * level.cols
            self.gains.setdefault(index, []).extend(term.gain for term in breakdown.terms if (term.name, term.level) == (TERM, index))
            for anchor in range(max(1, len(level.anchors))):
                own = float(target[assignment.anchor[won] == anchor].sum())
                self.targets[index, anchor] = self.targets.get((index, anchor), 0.0) + own

    def merge(self, other: Reached) -> None:
        """The batches of another as well."""
        self.values.extend(other.values)
        for key, value in other.targets.items():
            self.targets[key] = self.targets.get(key, 0.0) + value
        for index in other.exact:
            self.exact[index] = self.exact.get(index, 0.0) + other.exact[index]
            self.cells[index] = self.cells.get(index, 0) + other.cells[index]
            self.gains.setdefault(index, []).extend(other.gains[index])

    def facts(self) -> ReachedFacts | None:
        """Means over batches of one size; None without any."""
        if not self.values:
            return None
        constant, floor = 0.0, 0.0
        for index, level in enumerate(self.head.levels):
            anchors, cells = max(1, len(level.anchors)), self.cells[index]
            gain = math.fsum(self.gains[index]) / len(self.gains[index])
            means = torch.tensor([self.targets[index, anchor] / cells for anchor in range(anchors)], dtype=torch.float64)
            constant += gain * float(_entropy(means).mean())
            floor += gain * self.exact[index] / (cells * anchors)
        return ReachedFacts(math.fsum(self.values) / len(self.values), constant, floor)


def _entropy(p: Tensor) -> Tensor:
    """-p log p - (1 - p) log(1 - p): BCE of the logit of p against p."""
    entropy: Tensor = torch.special.entr(p) + torch.special.entr(1 - p)
    return entropy
