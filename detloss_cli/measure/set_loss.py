"""The loss of a whole data set on heads that are never built: which passes over its stacks they need, and what comes of sums without one.

The numbers are those of `run.losses`, batch by batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from detloss_cli.families.interface import Shared, Stacked
from detloss_cli.measure.box_loss import BoxLoss
from detloss_cli.measure.heads import zero_like
from detloss_cli.measure.loss import LossCount
from detloss_cli.measure.run import Job
from detloss_cli.measure.stack_pass import BatchedSet, Task, box_pass, one_pass

KINDS = ("prior", "zero", "base-rate", "perfect")


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
            first[name] = Task(stacked[name], bias, rates=kind == "base-rate")
    counts, rates, sums = one_pass(data, job, first, stacked[in_sums[0]] if in_sums else None)
    second = {name: Task(stacked[name], _logits("base-rate", stacked[name], job, rate)) for name, rate in rates.items()}
    moved = _moved(stacked[in_sums[0]], sums) if any(wanted[name][0] == "base-rate" for name in in_sums) else None
    fit_sums = sums
    if second or moved is not None:
        more, _, again = one_pass(data, job, second, moved)
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
    box_pass(data, job, stacked, bias, by_box)


def _in_sums(kind: str, stacked: Stacked) -> bool:
    return stacked.in_sums and (kind != "perfect" or stacked.perfect_in_sums)


def _rates(data: BatchedSet, job: Job, stacked: Stacked) -> Any:
    """What the base rate is fitted to, alone: one pass, or two where its boxes come first."""
    if not stacked.in_sums:
        return one_pass(data, job, {"one": Task(stacked, _logits("prior", stacked, job), rates=True)}, None)[1]["one"]
    sums = one_pass(data, job, {}, stacked)[2]
    moved = _moved(stacked, sums)
    return stacked.rates_of(sums if moved is None else one_pass(data, job, {}, moved)[2])


def _moved(stacked: Stacked, sums: Any) -> Shared | None:
    """What the base rate needs of a pass of its own."""
    moved_of = getattr(stacked, "moved_of", None)
    found: Shared | None = moved_of(sums) if moved_of is not None else None
    return found


def _logits(kind: str, stacked: Stacked, job: Job, rates: Any = None) -> list[torch.Tensor]:
    """Of a constant head; of the prior where those of the base rate are not known yet."""
    bias = stacked.base_rate(rates) if rates is not None else zero_like(stacked.prior) if kind == "zero" else stacked.prior
    return [level.to(device=job.device, dtype=job.dtype) for level in bias]
