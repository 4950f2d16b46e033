"""yolov5: anchors by ratio, CIoU, objectness towards the overlap, one BCE a class. Releases 1.0 to 7.0."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from detloss_cli.errors import DetlossError
from detloss_cli.families.gains import by_area, by_classes, by_levels
from detloss_cli.families.head_kind import ANCHORS
from detloss_cli.families.hyp import hyp_field
from detloss_cli.families.interface import BatchTargets, Gain, GainStep, Reason
from detloss_cli.families.yolov5_releases import PROFILES as PROFILES
from detloss_cli.inputs.head import Channels, Head
from detloss_cli.targets.anchor_ratio import assign_by_anchor_ratio, outside_grid
from detloss_cli.targets.assignment import Assignment, Frame, Targets, without_rows
from detloss_cli.targets.ratio_reasons import ratio_reasons

if TYPE_CHECKING:
    from torch import Tensor

    from detloss_cli.losses.anchor_grid import GridRules
    from detloss_cli.losses.grid_stack import GridStack
    from detloss_cli.losses.term import LossBreakdown
    from detloss_cli.predictions.interface import Predictions

ID = "yolov5"
TITLE = "YOLOv5: anchor ratio, CIoU, objectness towards the IoU"
SOURCE = "ultralytics/yolov5 v1.0 to v7.0"
LICENCE = "GPL-3.0, AGPL-3.0 since 2023"
NEEDS_PREDICTIONS = False
FRAME: Frame = "cxcywh"
IMGSZ = 640
RECT = True
MODEL = "yolov5s"
HEAD = ANCHORS
HYP = "scratch-low"
LOADER = "yolov5-7.0"
TERMS = ("box", "obj", "cls")


@dataclass(frozen=True, slots=True)
class Hyp:
    """Keys of a yolov5 hyp file that the loss reads, and the switches that are no keys."""

    box: float = hyp_field(0.05, 0.02, 0.2, "gain of the box term (`giou` before 3.1)")
    cls: float = hyp_field(0.5, 0.2, 4.0, "gain of the class term")
    cls_pw: float = hyp_field(1.0, 0.5, 2.0, "BCE weight of a present class")
    obj: float = hyp_field(1.0, 0.2, 4.0, "gain of the objectness term")
    obj_pw: float = hyp_field(1.0, 0.5, 2.0, "BCE weight of a positive cell")
    anchor_t: float = hyp_field(4.0, 2.0, 8.0, "largest ratio of box to anchor side that matches, exclusive")
    fl_gamma: float = hyp_field(0.0, 0.0, 2.0, "focal gamma of cls and obj, 0 is plain BCE")
    label_smoothing: float = hyp_field(0.0, 0.0, 0.1, "class targets 1 - eps/2 and eps/2; the trainer's CLI overwrites it")
    gr: float = 1.0
    sort_obj_iou: bool = False
    autobalance: bool = False
    element: str | None = None


def channels(head: Head) -> Channels:
    """x, y, w, h, objectness, then one a class."""
    return Channels(slice(0, 4), 4, slice(5, 5 + head.num_classes))


def gain_ledger(hyp: Hyp, head: Head, profile: str) -> tuple[Gain, ...]:
    """box, obj and cls from the hyp file to the loss."""
    rules, trainer, inside = PROFILES[profile], "train.py", "loss"
    box: list[GainStep] = [by_levels(head, trainer)] if "levels" in rules.scales else []
    cls = [by_classes(head, trainer)]
    obj = [by_area(head, 640, trainer), by_levels(head, trainer)] if "size" in rules.scales else []
    if "levels" in rules.scales:
        cls.append(by_levels(head, trainer))
    if rules.in_loss:
        box.append(by_levels(head, inside))
        cls.append(by_levels(head, inside))
        if rules.obj4 is not None:
            obj.append(by_levels(head, inside))
            if len(head.levels) == 4:
                obj.append(GainStep("four levels", rules.obj4, inside))
    return (
        Gain("box", rules.box_key, hyp.box, tuple(box)),
        Gain("obj", "obj", hyp.obj, tuple(obj)),
        Gain("cls", "cls", hyp.cls, tuple(cls)),
    )


def scaled(hyp: Hyp, head: Head, profile: str) -> Hyp:
    """The hyp after train.py has scaled its gains."""
    used = {gain.term: gain.hyp * gain.factor("train.py") for gain in gain_ledger(hyp, head, profile)}
    return replace(hyp, box=used["box"], obj=used["obj"], cls=used["cls"])


def balance(head: Head, profile: str) -> tuple[float, ...]:
    """Objectness weight of each level, fine to coarse.

    Raises:
        DetlossError: more levels than the release has weights for.
    """
    rules, count = PROFILES[profile], len(head.levels)
    weights = rules.balance3 if count == 3 else rules.balance
    if count > len(weights):
        raise DetlossError(f"yolov5 {profile} has objectness weights for {len(weights)} levels, this head has {count}", where="--model")
    return weights[:count]


def prior(head: Head, hyp: Hyp, profile: str) -> tuple[Tensor, ...]:
    """obj: log(8 / cells of a 640 px picture), cls: log(0.6 / (classes - spare)), the rest 0."""
    from detloss_cli.losses.grid_marks import prior_logits

    obj = [math.log(8 / (640 / stride) ** 2) for stride in head.strides]
    return prior_logits(head, obj, math.log(0.6 / (head.num_classes - PROFILES[profile].spare)))


def base_rate(head: Head, hyp: Hyp, profile: str, batches: Sequence[BatchTargets]) -> tuple[Tensor, ...]:
    """Constant objectness and class logits that minimise the loss; boxes as in the prior."""
    from detloss_cli.losses.grid_marks import base_rate_head

    pairs = [(batch.targets, batch.assignment, batch.head or head) for batch in batches]
    return base_rate_head(head, channels(head), prior(head, hyp, profile), pairs, _rules(hyp, profile))


def perfect(head: Head, hyp: Hyp, profile: str, targets: Targets, assignment: Assignment) -> Predictions:
    """The head that answers each slot with its winning target."""
    import torch

    from detloss_cli.geometry.decode import encode_sigmoid
    from detloss_cli.losses.grid_marks import perfect_head

    return perfect_head(head, channels(head), targets, assignment, _rules(hyp, profile), encode_sigmoid, torch.float64)


def assign(head: Head, hyp: Hyp, targets: Targets, predictions: Predictions | None = None, *, profile: str) -> Assignment:
    """Every anchor within `anchor_t` of a box, in its cell and up to two neighbours.

    Raises:
        DetlossError: a centre on the right or lower edge, in a release before 4.0, which raises IndexError there.
    """
    rules = PROFILES[profile]
    rows = assign_by_anchor_ratio(targets, head.levels, threshold=hyp.anchor_t, mirror=rules.mirror, clamp=rules.clamp)
    if not rules.clamp and bool(outside_grid(rows, head.levels).any()):
        first = int(rows.gt[outside_grid(rows, head.levels)][0])
        raise DetlossError(
            f"box {first} has its centre on the edge: yolov5 {profile} raises IndexError", hint="4.0 and later clamp the cell"
        )
    return rows


def refused(head: Head, hyp: Hyp, targets: Targets, *, profile: str) -> dict[int, Reason]:
    """Boxes that this release cannot take at all: it raises IndexError over them."""
    rules = PROFILES[profile]
    if rules.clamp:
        return {}
    rows = assign_by_anchor_ratio(targets, head.levels, threshold=hyp.anchor_t, mirror=rules.mirror, clamp=False)
    bad = rows.gt[outside_grid(rows, head.levels)]
    return {int(gt): Reason("edge_of_grid", f"centre on the right or lower edge: yolov5 {profile} raises IndexError") for gt in bad}


def stops(head: Head, hyp: Hyp, targets: Targets, assignment: Assignment, *, profile: str) -> dict[int, Reason]:
    """The only positive of a level in its batch, where rows are sorted by overlap: 6.2 and 7.0 raise IndexError over it."""
    if not hyp.sort_obj_iou or PROFILES[profile].sorts_one:
        return {}
    alone = [rows for index in range(len(head.levels)) if len(rows := assignment.gt[assignment.level == index]) == 1]
    text = f"the only positive of a level in its batch: with sort_obj_iou yolov5 {profile} raises IndexError"
    return {int(rows[0]): Reason("single_positive", text) for rows in alone}


def loss(
    head: Head,
    hyp: Hyp,
    targets: Targets,
    predictions: Predictions,
    assignment: Assignment,
    *,
    profile: str,
    state: tuple[float, ...] | None = None,
) -> LossBreakdown:
    """box + obj + cls over levels; the trainer multiplies by the batch size before backward.

    Args:
        state: objectness weights that autobalance left behind, None for the release's own.
    """
    from detloss_cli.losses.autobalance import rebalanced
    from detloss_cli.losses.grid_terms import grid_terms, shown, weighted
    from detloss_cli.losses.term import LossBreakdown

    rules = _rules(hyp, profile)
    weights = balance(head, profile) if state is None else state
    gains = _gains(hyp, head, profile, weights)
    parts = grid_terms(head, channels(head), targets, predictions, assignment, rules)
    terms = [term for index, part in enumerate(parts) for term in weighted(index, part, *gains[index])]
    moved = rebalanced(weights, [float(part.obj.detach()) for part in parts], head.strides) if hyp.autobalance else tuple(weights)
    return LossBreakdown(tuple(terms), float(predictions.images), moved, {**shown(parts), "balance": weights})


def stacked(head: Head, hyp: Hyp, profile: str) -> GridStack | None:
    """The loss of many batches at once; none where a batch looks at the one before it, or where its rows are sorted."""
    from detloss_cli.geometry.decode import encode_sigmoid
    from detloss_cli.losses.grid_stack import GridStack

    if hyp.autobalance or hyp.sort_obj_iou:
        return None
    weights = balance(head, profile)
    gains = _gains(hyp, head, profile, weights)
    rules, start = _rules(hyp, profile), prior(head, hyp, profile)
    return GridStack(head, channels(head), rules, start, gains, lambda images: images, encode_sigmoid, weights)


def reasons(head: Head, hyp: Hyp, targets: Targets, assignment: Assignment, *, profile: str) -> dict[int, Reason]:
    """For each box without a row: the ratio that no anchor meets."""
    found = ratio_reasons(targets, head.levels, hyp.anchor_t, head.imgsz, without_rows(targets, assignment))
    return {gt: Reason(*reason) for gt, reason in found.items()}


def _gains(hyp: Hyp, head: Head, profile: str, weights: Sequence[float]) -> list[tuple[float, float, float]]:
    """box, obj and cls of each level, with what the loss itself multiplies in."""
    inside = {gain.term: gain.factor("loss") for gain in gain_ledger(hyp, head, profile)}
    return [(hyp.box * inside["box"], hyp.obj * inside["obj"] * weight, hyp.cls * inside["cls"]) for weight in weights]


def decoded(head: Head, hyp: Hyp, predictions: Predictions, assignment: Assignment, index: int, rows: Tensor, *, profile: str) -> Tensor:
    """The boxes that some rows of a level answer, `xyxy` px."""
    from detloss_cli.losses.grid_answers import grid_boxes

    return grid_boxes(head, index, channels(head), predictions, assignment, rows, _rules(hyp, profile).decode)


def background(
    head: Head, hyp: Hyp, targets: Targets, predictions: Predictions, assignment: Assignment, index: int, *, profile: str
) -> tuple[str, Tensor]:
    """Objectness of the cells that no row has."""
    from detloss_cli.losses.grid_answers import grid_background

    return grid_background(head, index, channels(head), predictions, assignment, _rules(hyp, profile).obj)


def _rules(hyp: Hyp, profile: str) -> GridRules:
    from detloss_cli.geometry.decode import decode_sigmoid
    from detloss_cli.losses.anchor_grid import GridRules
    from detloss_cli.losses.bce import smooth_bce
    from detloss_cli.losses.elementwise import forms

    release = PROFILES[profile]
    present, absent = smooth_bce(hyp.label_smoothing if release.smoothing else 0.0)
    return GridRules(decode_sigmoid, release.kind, release.form, *forms(hyp), hyp.gr, hyp.sort_obj_iou, present, absent)
