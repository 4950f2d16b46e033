"""The loop over batches: assign, compute, count. One pass a head."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from detloss_cli.families.interface import BatchTargets, Family
from detloss_cli.inputs.head import Head
from detloss_cli.measure.batches import Batch
from detloss_cli.measure.box_loss import BoxLoss
from detloss_cli.measure.heads import CONSTANT, constant_bias, constant_head, noise_head, perfect_head
from detloss_cli.measure.loss import LossCount
from detloss_cli.predictions.interface import Predictions
from detloss_cli.targets.assignment import Assignment

Source = Callable[[Batch, Assignment | None], Predictions]


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that stays the same from batch to batch.

    hyp: as the loss gets it, trainer's scaling applied or not. preds: real head outputs, None where there are none. state: what the loss
    carries into its first batch.
    """

    family: Family
    profile: str
    head: Head
    hyp: Any
    device: torch.device
    dtype: torch.dtype
    seed: int
    preds: Source | None = None
    state: Any = None

    def lift(self, array: NDArray[Any]) -> Tensor:
        """A numpy column on the job's device."""
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)

    def of(self, batch: Batch) -> Head:
        """The head that sees a batch."""
        return batch.head or self.head

    def assign(self, batch: Batch, predictions: Predictions | None) -> Assignment:
        return self.family.assign(self.of(batch), self.hyp, batch.targets, predictions, profile=self.profile)


def assignments(job: Job, batches: Sequence[Batch]) -> list[BatchTargets]:
    """Each batch assigned, with real predictions or the prior's where the family needs some."""
    source = job.preds or source_of("prior", job, ())
    found = []
    for batch in batches:
        predictions = source(batch, None) if job.family.NEEDS_PREDICTIONS else None
        found.append(BatchTargets(batch.targets, job.assign(batch, predictions), batch.head))
    return found


def source_of(kind: str, job: Job, assigned: Sequence[BatchTargets]) -> Source:
    """What makes the predictions of a batch for one kind of head; `preds` are the job's own."""
    if kind == "preds" and job.preds is not None:
        return job.preds
    if kind in CONSTANT:
        bias = constant_bias(kind, job.family, job.head, job.hyp, job.profile, assigned, job.device, job.dtype)
        return lambda batch, _: constant_head(bias, job.of(batch), batch.targets.images)
    if kind == "noise":
        shapes = [level.shape for level in job.family.prior(job.head, job.hyp, job.profile)]
        anchors, channels = [int(shape[0]) for shape in shapes], int(shapes[0][1])
        return lambda batch, _: noise_head(job.of(batch), channels, batch, anchors, job.seed, job.device, job.dtype)
    if kind != "perfect":
        raise ValueError(f"expected a head, got {kind!r}")

    def perfect(batch: Batch, assignment: Assignment | None) -> Predictions:
        if assignment is None:
            raise ValueError("expected an assignment for the perfect head, got None")
        return perfect_head(job.family, job.of(batch), job.hyp, job.profile, batch, assignment)

    return perfect


def losses(kind: str, job: Job, batches: Iterable[Batch], assigned: Iterable[BatchTargets], by_box: BoxLoss | None = None) -> LossCount:
    """The loss of one head over all batches, one after the other: what every faster way is held to.

    Args:
        assigned: of each batch; a sequence for the base rate, which is fitted to it. by_box: takes what each box adds.
    """
    source = source_of(kind, job, assigned if isinstance(assigned, Sequence) else ())
    count, state = LossCount(job.head), job.state
    with torch.no_grad():
        for batch, before in zip(batches, assigned, strict=True):
            assignment = before.assignment
            predictions = source(batch, assignment)
            if job.family.NEEDS_PREDICTIONS:
                assignment = job.assign(batch, predictions)
            breakdown = job.family.loss(job.of(batch), job.hyp, batch.targets, predictions, assignment, profile=job.profile, state=state)
            state = breakdown.state
            count.add(breakdown)
            if by_box is not None:
                by_box.add(batch, breakdown, assignment)
            _objectness(count, assignment, breakdown.extra)
    return count


def _objectness(count: LossCount, assignment: Assignment, extra: Any) -> None:
    if "objectness_target" not in extra:
        return
    target, wins = extra["objectness_target"].double(), extra["wins"]
    for level in range(len(count.head.levels)):
        here = wins & (assignment.level == level)
        count.add_objectness(level, float(target[here].sum()), int(here.sum()))
