"""The heads whose loss stands beside the one that was asked for, each as kind of head and job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from detloss_cli.errors import DetlossError

if TYPE_CHECKING:
    from detloss_cli.measure.loss import LossCount
    from detloss_cli.measure.run import Job

DEFAULT_GAMMA = 1.5  # of a what-if where the hyp has none: the value that yolov5's focal loss defaults to
CERTAIN = "certain"  # its base rate were every overlap 1
MARKS = {"prior": "prior", "base_rate": "base-rate", "perfect": "perfect"}


def mark_heads(job: Job) -> dict[str, tuple[str, Job]]:
    """The heads between which a loss lies."""
    return {name: (kind, job) for name, kind in MARKS.items()}


def certain_head(job: Job) -> dict[str, tuple[str, Job]]:
    """Where objectness learns an overlap, the base rate of a head that learns to be certain instead."""
    return {CERTAIN: ("base-rate", replace(job, hyp=replace(job.hyp, gr=0.0)))} if hasattr(job.hyp, "gr") else {}


def assumed(counts: Mapping[str, LossCount]) -> dict[str, float]:
    """What the base rate of objectness rests on: the overlap that the positives are taken to have, and its value were that 1."""
    overlap = counts["base_rate"].objectness_mean()
    if overlap is None or CERTAIN not in counts:
        return {}
    return {"base_rate_overlap": overlap, "base_rate_obj_at_1": counts[CERTAIN].totals()["obj"]}


def what_if_heads(head: str, kinds: Sequence[str], job: Job) -> dict[str, tuple[str, Job]]:
    """The same tensors under other elementwise losses, by kind.

    Raises:
        DetlossError: the family has one form.
    """
    if kinds and not hasattr(job.hyp, "element"):
        raise DetlossError(
            f"{job.family.ID} has one form of its losses", where="--what-if", hint="yolov5, yolov7 and yolov3-spp have several"
        )
    found = {}
    for kind in kinds:
        gamma = job.hyp.fl_gamma or DEFAULT_GAMMA
        found[kind] = (head, replace(job, hyp=replace(job.hyp, element=kind, fl_gamma=gamma if "focal" in kind else job.hyp.fl_gamma)))
    return found
