"""The passes over a data set that a command needs: one that counts the assignment, and one or two for the losses.

Where a family can compute many batches at once nothing but a stack of them is ever held; else all batches and their assignments are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detloss_cli.families.interface import BatchTargets
from detloss_cli.inputs.labels import Labels
from detloss_cli.measure.batches import Batch, batches
from detloss_cli.measure.box_loss import BoxLoss
from detloss_cli.measure.loss import LossCount
from detloss_cli.measure.parts import Part
from detloss_cli.measure.plain import plain_pairs
from detloss_cli.measure.run import Job, assignments, losses
from detloss_cli.measure.set_loss import KINDS, set_box_loss, set_losses, stacked_of
from detloss_cli.measure.stack_pass import BatchedSet
from detloss_cli.targets.assignment import Assignment

Wanted = Mapping[str, tuple[str, Job]]  # kind of head and job by name


@dataclass(frozen=True, slots=True)
class Held:
    """All batches and their assignments in memory."""

    job: Job
    batches: Sequence[Batch]
    assigned: Sequence[BatchTargets]

    def __len__(self) -> int:
        return len(self.batches)

    def pairs(self) -> Iterable[tuple[Batch, Assignment]]:
        """Each batch and its assignment."""
        return [(batch, pair.assignment) for batch, pair in zip(self.batches, self.assigned, strict=True)]

    def losses(self, wanted: Wanted, by_box: Mapping[str, BoxLoss] | None = None) -> dict[str, LossCount]:
        """The loss of each head over all batches. by_box: takes what each box adds, for the heads named there."""
        takes = by_box or {}
        return _each_once(
            wanted, lambda distinct: {name: losses(*one, self.batches, self.assigned, takes.get(name)) for name, one in distinct.items()}
        )


@dataclass(frozen=True, slots=True)
class Streamed:
    """One stack of batches at a time."""

    job: Job
    data: BatchedSet

    def __len__(self) -> int:
        return -(-len(self.data.labels.images) // self.data.size)

    def pairs(self) -> Iterable[tuple[Batch, Assignment]]:
        """Runs of images and their assignment, in numpy whatever the device: the integers are the same."""
        job, data = self.job, self.data
        return plain_pairs(job.family, job.profile, job.head, job.hyp, data.labels, data.network)

    def losses(self, wanted: Wanted, by_box: Mapping[str, BoxLoss] | None = None) -> dict[str, LossCount]:
        """The loss of each head over all batches; noise, which has to be built, batch by batch. by_box: as above."""
        takes = by_box or {}
        stacked = {name: one for name, one in wanted.items() if one[0] in KINDS and stacked_of(one[1]) is not None}
        found = _each_once(stacked, lambda distinct: set_losses(self.data, distinct))
        for name, (kind, job) in wanted.items():
            if name not in stacked:
                pairs = (self._assigned(job, batch) for batch in self._batches())
                found[name] = losses(kind, job, self._batches(), pairs, takes.get(name))
            elif name in takes:
                set_box_loss(self.data, kind, job, takes[name])
        return found

    def _batches(self) -> Iterator[Batch]:
        job, data = self.job, self.data
        return batches(data.labels, data.network, job.head.imgsz, data.size, job.family.FRAME, job.lift)

    def _assigned(self, job: Job, batch: Batch) -> BatchTargets:
        return BatchTargets(batch.targets, job.assign(batch, None))


def passes_of(job: Job, labels: Labels, network: NDArray[np.float32], size: int, parts: Sequence[Part] = ()) -> Held | Streamed:
    """How this family's loss goes over a data set.

    Args:
        network: (N, 4) boxes in 0..1 of the network input. size: images a batch. parts: where batches differ in their input shape.
    """
    if not parts and stacked_of(job) is not None:
        return Streamed(job, BatchedSet(labels, network, size, threads=cores() if job.device.type == "cpu" else 1))
    return held(job, formed(job, labels, network, size, parts))


def formed(job: Job, labels: Labels, network: NDArray[np.float32], size: int, parts: Sequence[Part] = ()) -> list[Batch]:
    """All batches, in their order. Arguments as above."""
    if not parts:
        return list(batches(labels, network, job.head.imgsz, size, job.family.FRAME, job.lift))
    return [
        part.whole(batch, labels)
        for part in parts
        for batch in batches(part.of(labels), network[part.rows(labels)], part.head.imgsz, size, job.family.FRAME, job.lift)
    ]


def held(job: Job, batches: Sequence[Batch]) -> Held:
    """Batches that are there already."""
    return Held(job, batches, assignments(job, batches))


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _each_once(wanted: Wanted, compute: Callable[[Wanted], dict[str, LossCount]]) -> dict[str, LossCount]:
    """Losses by name, where equal heads of equal jobs are computed once."""
    distinct: dict[str, tuple[str, Job]] = {}
    named: dict[str, str] = {}
    for name, one in wanted.items():
        named[name] = next((known for known, other in distinct.items() if other == one), name)
        distinct.setdefault(named[name], one)
    found = compute(distinct)
    return {name: found[known] for name, known in named.items()}
