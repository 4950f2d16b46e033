"""The loss of a whole data set on heads that are never built: many batches at once, one stack of them in memory a thread.

The numbers are those of `run.losses`, batch by batch; bits do not depend on threads or on how batches are stacked.
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
from detloss_cli.losses.stack import Stack, StackedLoss
from detloss_cli.measure.batches import stack_of, stacks
from detloss_cli.measure.box_loss import BoxLoss
from detloss_cli.measure.heads import zero_like
from detloss_cli.measure.loss import LossCount
from detloss_cli.measure.run import Job
from detloss_cli.targets.assignment import Assignment, Targets

KINDS = ("prior", "zero", "base-rate", "perfect")
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
class _Task:
    """One head in one pass. bias: its logits, None for the perfect head, which makes its own. rates: what the base rate needs, too."""

    stacked: Stacked
    bias: Sequence[torch.Tensor] | None
    rates: bool = False

    def computed(self, targets: Targets, assignment: Assignment, stack: Stack) -> tuple[StackedLoss, Any]:
        return self.stacked.loss(self.bias, targets, assignment, stack, rates=self.rates)


def stacked_of(job: Job) -> Stacked | None:
    """How the family computes many batches at once; None where it does not, or where there are real head outputs."""
    make = getattr(job.family, "stacked", None)
    found: Stacked | None = make(job.head, job.hyp, job.profile) if make is not None and job.preds is None else None
    return found


def set_losses(data: BatchedSet, wanted: Mapping[str, tuple[str, Job]]) -> dict[str, LossCount]:
    """The loss of several heads over all batches, in as few passes as they need.

    Args:
        wanted: kind of head, one of `KINDS`, and job under any name. The jobs may differ in what a loss is made of, not in what is
            assigned.

    Raises:
        ValueError: a job whose family does not stack.
    """
    stacked: dict[str, Stacked] = {}
    for name, (kind, job) in wanted.items():
        found = stacked_of(job)
        if found is None or kind not in KINDS:
            raise ValueError(f"expected a family that stacks and one of {KINDS}, got {job.family.ID} and {kind!r}")
        stacked[name] = found
    if not stacked or not len(data.labels.images):
        return {name: LossCount(job.head) for name, (_, job) in wanted.items()}
    job = next(iter(wanted.values()))[1]
    in_sums = [name for name, (kind, _) in wanted.items() if _in_sums(kind, stacked[name])]
    first = {}
    for name, (kind, _) in wanted.items():
        if name not in in_sums:
            bias = None if kind == "perfect" else _logits(kind, stacked[name], job)
            first[name] = _Task(stacked[name], bias, rates=kind == "base-rate")
    counts, rates, sums = _pass(data, job, first, stacked[in_sums[0]] if in_sums else None)
    second = {name: _Task(stacked[name], _logits("base-rate", stacked[name], job, rate)) for name, rate in rates.items()}
    moved = _moved(stacked[in_sums[0]], sums) if any(wanted[name][0] == "base-rate" for name in in_sums) else None
    fit_sums = sums
    if second or moved is not None:
        more, _, again = _pass(data, job, second, moved)
        counts, fit_sums = counts | more, sums if moved is None else again
    for name in in_sums:
        kind, job = wanted[name]
        counts[name] = _from_sums(kind, stacked[name], job, fit_sums if kind == "base-rate" else sums)
    return counts


def _from_sums(kind: str, stacked: Stacked, job: Job, sums: Any) -> LossCount:
    rate = stacked.rates_of(sums) if kind == "base-rate" else None
    count = LossCount(job.head)
    count.extend(stacked.constant_of(None if kind == "perfect" else _logits(kind, stacked, job, rate), sums))
    return count


def set_box_loss(data: BatchedSet, kind: str, job: Job, by_box: BoxLoss) -> None:
    """What each box adds to the loss of one head, in a pass of its own; after another where the head is fitted to the set first.

    Args:
        kind: one of `KINDS`. by_box: takes the columns.

    Raises:
        ValueError: the job's family does not stack.
    """
    stacked = stacked_of(job)
    if stacked is None or kind not in KINDS:
        raise ValueError(f"expected a family that stacks and one of {KINDS}, got {job.family.ID} and {kind!r}")
    rates = _rates(data, job, stacked) if kind == "base-rate" else None
    bias = None if kind == "perfect" else _logits(kind, stacked, job, rates)
    with torch.inference_mode(), _single_threads(data.threads) as pool:
        for run, parts in pool.map(
            lambda run: (run, _by_target(data, job, stacked, bias, run)), stacks(data.labels, data.size, data.most_boxes)
        ):
            by_box.extend(run[1], {name: column.numpy() for name, column in parts.items()})


def _in_sums(kind: str, stacked: Stacked) -> bool:
    return stacked.in_sums and (kind != "perfect" or stacked.perfect_in_sums)


def _rates(data: BatchedSet, job: Job, stacked: Stacked) -> Any:
    """What the base rate is fitted to, alone: one pass, or two where its boxes come first."""
    if not stacked.in_sums:
        return _pass(data, job, {"one": _Task(stacked, _logits("prior", stacked, job), rates=True)}, None)[1]["one"]
    sums = _pass(data, job, {}, stacked)[2]
    moved = _moved(stacked, sums)
    return stacked.rates_of(sums if moved is None else _pass(data, job, {}, moved)[2])


def _moved(stacked: Stacked, sums: Any) -> Shared | None:
    """What the base rate needs of a pass of its own."""
    moved_of = getattr(stacked, "moved_of", None)
    found: Shared | None = moved_of(sums) if moved_of is not None else None
    return found


def _by_target(
    data: BatchedSet, job: Job, stacked: Stacked, bias: Sequence[torch.Tensor] | None, run: tuple[range, slice]
) -> dict[str, torch.Tensor]:
    with torch.inference_mode():
        targets, assignment, stack = _assigned(data, job, run)
        return stacked.by_target(bias, targets, assignment, stack)


def _logits(kind: str, stacked: Stacked, job: Job, rates: Any = None) -> list[torch.Tensor]:
    """Of a constant head; of the prior where those of the base rate are not known yet."""
    bias = stacked.base_rate(rates) if rates is not None else zero_like(stacked.prior) if kind == "zero" else stacked.prior
    return [level.to(device=job.device, dtype=job.dtype) for level in bias]


def _pass(
    data: BatchedSet, job: Job, tasks: Mapping[str, _Task], sums_of: Shared | None
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
