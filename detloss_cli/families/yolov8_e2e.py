"""Heads that are trained without non-maximum suppression: a one-to-many and a one-to-one branch, each with its own levels and assignment.

Source: arXiv 2405.14458, section 3.1 (YOLOv10); E2EDetectLoss of ultralytics 8.3, E2ELoss of 8.4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.head import Head, Level

ONE_TO_ONE = " 1:1"  # ends the name of a level of the second branch


@dataclass(frozen=True, slots=True)
class BranchPlan:
    """What a release does with the two branches.

    one_to_one: cells a box may take and keeps in the second branch. first_share: weight of the one-to-many branch in the first epoch, the
    other branch having the rest; None where both have weight 1. reports_both: printed items are the sum of both, else the second alone.
    """

    one_to_one: tuple[int, int]
    first_share: float | None
    reports_both: bool


YOLOV10 = BranchPlan((1, 1), None, True)
YOLO26 = BranchPlan((7, 1), 0.8, False)


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch. name: such as `one-to-many`. first: index of its first level in the head. levels: its levels. topk, kept: of its
    assigner. weight: what its terms are multiplied with."""

    name: str
    first: int
    levels: tuple[Level, ...]
    topk: int
    kept: int
    weight: float


def expand(head: Head) -> Head:
    """The head with the levels of both branches, one-to-many first: what an end-to-end head answers with. Others stay as they are."""
    if not head.end2end or any(level.name.endswith(ONE_TO_ONE) for level in head.levels):
        return head
    second = tuple(replace(level, name=level.name + ONE_TO_ONE) for level in head.levels)
    return replace(head, levels=head.levels + second)


def branches(head: Head, plan: BranchPlan | None, topk: int, kept: int, share: float | None) -> tuple[Branch, ...]:
    """The branches of a head: one for most, two for an end-to-end one.

    Args:
        head: as `expand` gives it. plan: of the release, None if it has no end-to-end heads. topk, kept: of the first branch.
        share: weight of the one-to-many branch, None for that of the first epoch.

    Raises:
        DetlossError: the release has no end-to-end heads.
    """
    if not head.end2end:
        return (Branch("all", 0, head.levels, topk, kept, 1.0),)
    if plan is None:
        raise DetlossError("this release has no end-to-end heads", where="--profile", hint="8.3.0 and later have")
    half = len(head.levels) // 2
    if not all(level.name.endswith(ONE_TO_ONE) for level in head.levels[half:]) or half == 0:
        raise ValueError(f"expected the levels of both branches, got {[level.name for level in head.levels]}")
    many, one = 1.0, 1.0
    if plan.first_share is not None:
        many = plan.first_share if share is None else share
        one = 1.0 - many
    return (
        Branch("one-to-many", 0, head.levels[:half], topk, kept, many),
        Branch("one-to-one", half, head.levels[half:], *plan.one_to_one, one),
    )
