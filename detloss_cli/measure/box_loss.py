"""The loss of a data set by box: what the positives of each one add to each term."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detloss_cli.facts.box_loss import BoxLossFacts
from detloss_cli.losses.term import LossBreakdown
from detloss_cli.measure.batches import Batch
from detloss_cli.measure.loss import LossCount
from detloss_cli.targets.assignment import Assignment


@dataclass(slots=True)
class BoxLoss:
    """Sums over batches; `add` each, then ask. boxes: N of the data set. columns: (N,) float64 by term."""

    boxes: int
    columns: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def add(self, batch: Batch, breakdown: LossBreakdown, assignment: Assignment) -> None:
        """One batch, with the assignment that its loss was computed with."""
        level, gt = (column.detach().cpu().numpy() for column in (assignment.level, assignment.gt))
        count = batch.rows.stop - batch.rows.start
        by_level = {index: gt[level == index] for index in np.unique(level).tolist()}
        for term in breakdown.terms:
            column = self.columns.setdefault(term.name, np.zeros(self.boxes))
            parts = term.parts
            if parts is None or not len(parts):
                continue
            owner = gt if term.level is None else by_level[term.level]
            column[batch.rows] += np.bincount(owner, weights=parts.detach().cpu().numpy(), minlength=count)

    def extend(self, rows: slice, parts: Mapping[str, NDArray[np.float64]]) -> None:
        """The boxes of many batches. rows: of the data set. parts: (N_rows,) by term, what each box adds to its batch."""
        for name, values in parts.items():
            self.columns.setdefault(name, np.zeros(self.boxes))[rows] += values

    def facts(self, count: LossCount) -> BoxLossFacts:
        """Facts of the run. count: the loss of the same batches."""
        totals, batches = count.totals(), max(1, len(count.factors))
        loss = np.stack(tuple(self.columns.values()), axis=1) / batches if self.columns else np.zeros((self.boxes, 0))
        background = {}
        for index, name in enumerate(self.columns):
            told = math.fsum(loss[:, index].tolist()) if np.isfinite(loss[:, index]).all() else math.nan
            background[name] = totals[name] - told if math.isfinite(totals[name]) else math.nan
        return BoxLossFacts(tuple(self.columns), loss, background)
