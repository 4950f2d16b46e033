"""YOLOv8 to YOLO26: task-aligned assignment, CIoU, a distribution of distances, one BCE a class. ultralytics 8.1.0 to 8.4.190."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from detloss_cli.errors import DetlossError
from detloss_cli.families.head_kind import DISTANCES
from detloss_cli.families.hyp import hyp_field
from detloss_cli.families.interface import BatchTargets, Gain, GainStep, Open, Reason
from detloss_cli.families.yolov8_e2e import Branch, expand
from detloss_cli.families.yolov8_e2e import branches as branches_of
from detloss_cli.families.yolov8_reasons import refusals, task_reasons
from detloss_cli.families.yolov8_releases import PROFILES
from detloss_cli.inputs.head import Channels, Head
from detloss_cli.losses.class_weights import frequency_weights
from detloss_cli.targets.assignment import Assignment, Frame, Targets
from detloss_cli.targets.centre_inside import Reach
from detloss_cli.targets.centre_inside import reach as reach_of

if TYPE_CHECKING:
    from torch import Tensor

    from detloss_cli.losses.term import LossBreakdown
    from detloss_cli.predictions.interface import Predictions

ID = "yolov8"
TITLE = "YOLOv8 to YOLO26: task-aligned assignment, CIoU, DFL"
SOURCE = "ultralytics 8.1.0 to 8.4.190"
LICENCE = "AGPL-3.0"
NEEDS_PREDICTIONS = True
FRAME: Frame = "cxcywh"
IMGSZ = 640
RECT = True
MODEL = "yolo11s"
HEAD = DISTANCES
HYP = "yolov8"
LOADER = "ultralytics-8.4"
TERMS = ("box", "cls", "dfl")

__all__ = ["PROFILES", "Hyp", "assign", "loss"]  # PROFILES is taken from a neighbour, and part of what a family offers


@dataclass(frozen=True, slots=True)
class Hyp:
    """Keys of an ultralytics settings file that the loss reads, and the switches that are no keys.

    topk, kept, alpha, beta: of the assigner. class_weights: (C,) factors that `cls_pw` made of the class frequencies, None for 1.
    one_to_many: weight of that branch of an end-to-end head from 8.4, None for the first epoch's.
    """

    box: float = hyp_field(7.5, 1.0, 20.0, "gain of the box term")
    cls: float = hyp_field(0.5, 0.1, 4.0, "gain of the class term")
    dfl: float = hyp_field(1.5, 0.4, 12.0, "gain of the distance term")
    cls_pw: float = hyp_field(0.0, 0.0, 1.0, "power of the inverse class frequency that weighs a class, 0 is off; no pos_weight")
    topk: int = 10
    kept: int = 10
    alpha: float = 0.5
    beta: float = 6.0
    class_weights: tuple[float, ...] | None = None
    one_to_many: float | None = None


def channels(head: Head) -> Channels:
    """reg_max bins of the left, top, right and lower side, then one a class; no objectness."""
    bins = 4 * max(1, head.reg_max)
    return Channels(slice(0, bins), None, slice(bins, bins + head.num_classes))


def outputs(head: Head, profile: str) -> Head:
    """The head with every map that the loss sees: an end-to-end head answers twice, one-to-many first."""
    return expand(head)


def branches(head: Head, hyp: Hyp, profile: str) -> tuple[Branch, ...]:
    """The branches of a head that `outputs` gave."""
    return branches_of(head, PROFILES[profile].branches, hyp.topk, hyp.kept, hyp.one_to_many)


def gain_ledger(hyp: Hyp, head: Head, profile: str) -> tuple[Gain, ...]:
    """The trainer leaves box, cls and dfl as they are; an end-to-end loss weighs its branches."""
    found: list[Gain] = []
    for branch in branches(head, hyp, profile):
        steps = (GainStep(branch.name, branch.weight, "loss"),) if head.end2end else ()
        found.extend(Gain(term, term, getattr(hyp, term), steps) for term in TERMS)
    return tuple(found)


def scaled(hyp: Hyp, head: Head, profile: str) -> Hyp:
    """The hyp itself: no release scales a gain."""
    return hyp


def with_class_weights(hyp: Hyp, counts: Sequence[int], profile: str) -> Hyp:
    """The hyp with the class weights that `cls_pw` makes of the training set, where the release reads it.

    Args:
        counts: (C,) boxes of each class in the training set.
    """
    if hyp.cls_pw == 0 or not PROFILES[profile].class_weights:
        return hyp
    return replace(hyp, class_weights=frequency_weights(counts, hyp.cls_pw))


def prior(head: Head, hyp: Hyp, profile: str) -> tuple[Tensor, ...]:
    """Distance logits 1, cls: log(5 / classes / cells of a 640 px picture)."""
    from detloss_cli.families import yolov8_marks as marks

    return marks.prior(head, channels(head))


def base_rate(head: Head, hyp: Hyp, profile: str, batches: Sequence[BatchTargets]) -> tuple[Tensor, ...]:
    """Constant class logits that minimise the loss on these assignments; distances as in the prior."""
    from detloss_cli.families import yolov8_marks as marks

    pairs = [(batch.targets, batch.assignment, batch.head or head) for batch in batches]
    return marks.base_rate(head, channels(head), branches(head, hyp, profile), pairs)


def perfect(head: Head, hyp: Hyp, profile: str, targets: Targets, assignment: Assignment) -> Predictions:
    """Each row answers with the distances and the class score that it is trained towards; all other cells say no."""
    from detloss_cli.families import yolov8_marks as marks

    return marks.perfect(head, channels(head), branches(head, hyp, profile), targets, assignment, PROFILES[profile].boxes)


def assign(head: Head, hyp: Hyp, targets: Targets, predictions: Predictions | None = None, *, profile: str) -> Assignment:
    """Task-aligned assignment of each branch: rows of the one-to-many branch, then those of the one-to-one branch.

    of_targets is the evidence of the first branch; that of a second one has the prefix `one_to_one_`.

    Raises:
        DetlossError: a class or an order of the targets that the release stops at.
    """
    import torch

    from detloss_cli.families.yolov8_terms import predictor
    from detloss_cli.targets.task_aligned import TaskAlignedRules, task_aligned

    if predictions is None:
        raise DetlossError("yolov8 assigns by predictions", where="--preds", hint="give head outputs, or name a synthetic head")
    refused_rows = refused(head, hyp, targets, profile=profile)
    if refused_rows:
        first, reason = next(iter(refused_rows.items()))
        raise DetlossError(f"box {first}: {reason.text}")
    parts, evidence = [], {}
    for branch in branches(head, hyp, profile):
        rules = TaskAlignedRules(branch.topk, branch.kept, hyp.alpha, hyp.beta, PROFILES[profile].boxes)
        part = task_aligned(targets, branch.levels, predictor(head, channels(head), branch, predictions), rules)
        parts.append(replace(part, level=part.level + branch.first))
        prefix = "one_to_one_" if branch.first else ""
        evidence.update({prefix + name: value for name, value in part.of_targets.items()})
    level, image, anchor, row, col, gt = (
        torch.cat([getattr(part, name) for part in parts]) for name in ("level", "image", "anchor", "row", "col", "gt")
    )
    extra = {name: torch.cat([part.extra[name] for part in parts]) for name in parts[0].extra}
    return Assignment(level, image, anchor, row, col, gt, extra, evidence)


def refused(head: Head, hyp: Hyp, targets: Targets, *, profile: str) -> dict[int, Reason]:
    """Boxes that make the release raise IndexError."""
    return {gt: Reason(*reason) for gt, reason in refusals(targets, head.num_classes, profile, PROFILES[profile].in_order).items()}


def loss(
    head: Head, hyp: Hyp, targets: Targets, predictions: Predictions, assignment: Assignment, *, profile: str, state: Any = None
) -> LossBreakdown:
    """box + cls + dfl over levels and branches; the trainer multiplies by the batch size before backward.

    extra: `normaliser`, one a branch: what each sum was divided by.
    """
    import torch

    from detloss_cli.families.yolov8_terms import branch_terms, normaliser
    from detloss_cli.losses.term import LossBreakdown, Term

    rules = PROFILES[profile]
    weights = hyp.class_weights if rules.class_weights else None
    terms, divisors = [], []
    for branch in branches(head, hyp, profile):
        found = branch_terms(
            head, channels(head), branch, targets, predictions, assignment, boxes=rules.boxes, l1=rules.l1, class_weights=weights
        )
        for index, level in enumerate(found, branch.first):
            count = level.per_box.shape[0]
            terms.append(Term("box", index, level.box, hyp.box * branch.weight, count, level.per_box, level.scale))
            terms.append(Term("cls", index, level.cls, hyp.cls * branch.weight, count, level.per_cls, level.scale))
            terms.append(Term("dfl", index, level.dfl, hyp.dfl * branch.weight, count, level.per_dfl, level.scale))
        own = (assignment.level >= branch.first) & (assignment.level < branch.first + len(branch.levels))
        divisors.append(normaliser(assignment.extra["score"][own]))
    return LossBreakdown(tuple(terms), float(predictions.images), None, {"normaliser": torch.stack(divisors)})


def decoded(head: Head, hyp: Hyp, predictions: Predictions, assignment: Assignment, index: int, rows: Tensor, *, profile: str) -> Tensor:
    """The boxes that some rows of a level answer, `xyxy` px."""
    from detloss_cli.families.yolov8_answers import answered_boxes

    return answered_boxes(head, channels(head), predictions, assignment, index, rows)


def background(
    head: Head, hyp: Hyp, targets: Targets, predictions: Predictions, assignment: Assignment, index: int, *, profile: str
) -> tuple[str, Tensor]:
    """All classes of the cells that no row has."""
    from detloss_cli.families.yolov8_answers import empty_cells

    weights = hyp.class_weights if PROFILES[profile].class_weights else None
    return "cls", empty_cells(head, channels(head), branches(head, hyp, profile), predictions, assignment, index, weights)


def returned(breakdown: LossBreakdown, profile: str) -> Tensor:
    """What the release's loss returns for backward: () or (3,) box, cls, dfl, times the batch size."""
    import torch

    if PROFILES[profile].returns == "sum":
        return breakdown.total * breakdown.batch_factor
    return torch.stack([breakdown.item(name) for name in TERMS]) * breakdown.batch_factor


def items(head: Head, hyp: Hyp, breakdown: LossBreakdown, profile: str) -> Tensor:
    """What the release prints: (3,) box, cls, dfl with their gains, without the weight of a branch and the batch size."""
    import torch

    plan, parts = PROFILES[profile].branches, branches(head, hyp, profile)
    shown = parts if plan is None or plan.reports_both else parts[-1:]
    first = shown[0].first
    gains = {name: getattr(hyp, name) for name in TERMS}
    chosen = [term for term in breakdown.terms if term.level is not None and term.level >= first]
    return torch.stack([torch.stack([term.raw * gains[name] for term in chosen if term.name == name]).sum() for name in TERMS])


def reach(head: Head, targets: Targets, profile: str) -> Reach:
    """The part of the assignment that needs no predictions, for numpy and torch alike: cells open to each box."""
    levels = head.levels[: len(head.levels) // 2] if expand(head) is head and head.end2end else head.levels
    return reach_of(targets, levels, rules=PROFILES[profile].boxes, reg_max=head.reg_max)


def open_slots(head: Head, hyp: Hyp, targets: Targets, *, profile: str) -> tuple[Open, ...]:
    """Cells with their centre inside the box, and those of them that can express its sides."""
    found = reach(head, targets, profile)
    inside = Open("cell centre inside", found.cells)
    return (inside, Open("and sides in reach", found.in_reach)) if head.reg_max > 1 else (inside,)


def reasons(head: Head, hyp: Hyp, targets: Targets, assignment: Assignment, *, profile: str) -> dict[int, Reason]:
    """For each box without a row: no centre inside, out of reach, lost to another box, or not among the best, in numbers."""
    found = task_reasons(targets, assignment, reach(head, targets, profile), PROFILES[profile].boxes, head, hyp.topk)
    return {gt: Reason(*reason) for gt, reason in found.items()}
