"""One pass over a data set in stacks of whole batches: what each head loses there, what heads share, what each box adds.

One stack a thread is in memory; bits do not depend on threads or on how batches are stacked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from detloss_cli.families.interface import Shared, Stacked
from detloss_cli.inputs.labels import Labels
from detloss_cli.inputs.memory import give_back
from detloss_cli.losses.stack import Stack, StackedLoss
from detloss_cli.measure.batches import stack_of, stacks
from detloss_cli.measure.box_loss import BoxLoss
from detloss_cli.measure.loss import LossCount
from detloss_cli.measure.run import Job
from detloss_cli.targets.assignment import Assignment, Targets

MOST_BOXES = 3072  # of a stack: what a thread's columns hold of the cache, and of memory on crowded images


@dataclass(frozen=True, slots=True)
class BatchedSet:
    """A data set as its trainer would batch it. network: (N, 4) boxes in 0..1 of the network input. size: images a batch.

    most_boxes: of a stack. threads: that compute stacks, each with a single thread of its own.
    """

    labels: Labels
    network: NDArray[np.float32]
    size: int
    threads: int
    most_boxes: int = MOST_BOXES


@dataclass(frozen=True, slots=True)
class Task:
    """One head in one pass. bias: its logits, None for the perfect head, which makes its own. rates: what the base rate needs, too."""

    stacked: Stacked
    bias: Sequence[torch.Tensor] | None
    rates: bool = False

    def computed(self, targets: Targets, assignment: Assignment, stack: Stack) -> tuple[StackedLoss, Any]:
        return self.stacked.loss(self.bias, targets, assignment, stack, rates=self.rates)


def one_pass(
    data: BatchedSet, job: Job, tasks: Mapping[str, Task], sums_of: Shared | None
) -> tuple[dict[str, LossCount], dict[str, Any], Any]:
    """Every task over every stack: counts and rates, and the sums that the constant heads share, in the order of the stacks."""
    counts = {name: LossCount(job.head) for name in tasks}
    rates: dict[str, list[Any]] = {name: [] for name, task in tasks.items() if task.rates}
    sums = []

    def one(run: tuple[range, slice]) -> tuple[dict[str, tuple[StackedLoss, Any]], Any]:
        with torch.inference_mode():
            targets, assignment, stack = _assigned(data, job, run)
            shared = sums_of.sums(targets, assignment, stack, job.dtype) if sums_of is not None else None
            return {name: task.computed(targets, assignment, stack) for name, task in tasks.items()}, shared

    with _single_threads(data.threads) as pool:
        for found, shared in pool.map(one, stacks(data.labels, data.size, data.most_boxes)):
            sums.append(shared)
            for name, (loss, rate) in found.items():
                counts[name].extend(loss)
                if name in rates:
                    rates[name].append(rate)
    joined = {name: tasks[name].stacked.joined(parts) for name, parts in rates.items()}
    return counts, joined, sums_of.joined_sums(sums) if sums_of is not None else None


def box_pass(data: BatchedSet, job: Job, stacked: Stacked, bias: Sequence[torch.Tensor] | None, by_box: BoxLoss) -> None:
    """What each box adds to the loss of one head. bias: as of a task. by_box: takes the columns."""

    def one(run: tuple[range, slice]) -> tuple[slice, dict[str, torch.Tensor]]:
        with torch.inference_mode():
            return run[1], stacked.by_target(bias, *_assigned(data, job, run))

    with torch.inference_mode(), _single_threads(data.threads) as pool:
        for rows, parts in pool.map(one, stacks(data.labels, data.size, data.most_boxes)):
            by_box.extend(rows, {name: column.numpy() for name, column in parts.items()})


def _assigned(data: BatchedSet, job: Job, run: tuple[range, slice]) -> tuple[Targets, Assignment, Stack]:
    batch = stack_of(data.labels, data.network, job.head.imgsz, *run, job.family.FRAME, job.lift)
    return batch.targets, job.assign(batch, None), Stack(batch.targets.images, data.size)


@contextmanager
def _single_threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Threads in which torch uses no others: a column that torch cuts up by threads has other last bits where the cuts are."""
    before = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(max(1, count), initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield pool
    finally:
        torch.set_num_threads(before)
        give_back()  # each thread has kept a heap of its own
