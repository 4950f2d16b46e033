"""yolov7: yolov5's loss over candidates that bid by predicted cost (OTA), with auxiliary heads for the larger models."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from detloss_cli.errors import DetlossError
from detloss_cli.families.gains import by_area, by_classes, by_levels
from detloss_cli.families.head_kind import ANCHORS
from detloss_cli.families.hyp import hyp_field
from detloss_cli.families.interface import BatchTargets, Gain, GainStep, Open, Reason
from detloss_cli.geometry.iou import YOLOV7
from detloss_cli.inputs.head import Channels, Head
from detloss_cli.targets.anchor_ratio import assign_by_anchor_ratio
from detloss_cli.targets.assignment import Assignment, Frame, Targets, joined, without_rows
from detloss_cli.targets.ratio_reasons import ratio_reasons

if TYPE_CHECKING:
    from torch import Tensor

    from detloss_cli.losses.anchor_grid import GridRules
    from detloss_cli.losses.term import LossBreakdown, Term
    from detloss_cli.predictions.interface import Predictions

ID = "yolov7"
TITLE = "YOLOv7: OTA over anchor-ratio candidates, CIoU, auxiliary heads"
SOURCE = "WongKinYiu/yolov7@a207844"
LICENCE = "GPL-3.0"
NEEDS_PREDICTIONS = True
FRAME: Frame = "cxcywh"
IMGSZ = 640
RECT = True
MODEL = "yolov7"
HEAD = ANCHORS
HYP = "yolov7-p5"
LOADER = "yolov7"
TERMS = ("box", "obj", "cls")
AUXILIARY_WEIGHT = 0.25
BALANCE3, BALANCE = (4.0, 1.0, 0.4), (4.0, 1.0, 0.25, 0.06, 0.02)


@dataclass(frozen=True, slots=True)
class Hyp:
    """Keys of a yolov7 hyp file that the loss reads, and the switches that are no keys."""

    box: float = hyp_field(0.05, 0.02, 0.2, "gain of the box term")
    cls: float = hyp_field(0.3, 0.2, 4.0, "gain of the class term")
    cls_pw: float = hyp_field(1.0, 0.5, 2.0, "BCE weight of a present class")
    obj: float = hyp_field(0.7, 0.2, 4.0, "gain of the objectness term")
    obj_pw: float = hyp_field(1.0, 0.5, 2.0, "BCE weight of a positive cell")
    anchor_t: float = hyp_field(4.0, 2.0, 8.0, "largest ratio of box to anchor side of a candidate, exclusive")
    fl_gamma: float = hyp_field(0.0, 0.0, 2.0, "focal gamma of cls and obj, 0 is plain BCE")
    label_smoothing: float = hyp_field(0.0, 0.0, 0.1, "class targets 1 - eps/2 and eps/2; the trainer's CLI overwrites it")
    loss_ota: float = hyp_field(1.0, None, None, "1 trains with OTA, 0 with the plain loss that validation always uses")
    gr: float = 1.0
    autobalance: bool = False
    element: str | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """One loss class. ota: candidates bid. auxiliary: every level has a second map. top: overlaps that add up to k."""

    ota: bool
    auxiliary: bool = False
    top: int = 10


PROFILES: Mapping[str, Profile] = {"plain": Profile(ota=False), "aux": Profile(ota=True, auxiliary=True, top=20), "ota": Profile(ota=True)}


def channels(head: Head) -> Channels:
    """x, y, w, h, objectness, then one a class."""
    return Channels(slice(0, 4), 4, slice(5, 5 + head.num_classes))


def outputs(head: Head, profile: str) -> Head:
    """The head with its auxiliary maps behind the lead ones, where the loss has them."""
    if not PROFILES[profile].auxiliary:
        return head
    return replace(head, levels=(*head.levels, *(replace(level, name=f"{level.name} aux") for level in head.levels)))


def lead_levels(head: Head, profile: str) -> int:
    """How many of the levels are lead ones."""
    return len(head.levels) // 2 if PROFILES[profile].auxiliary else len(head.levels)


def gain_ledger(hyp: Hyp, head: Head, profile: str) -> tuple[Gain, ...]:
    """box, obj and cls from the hyp file to the loss."""
    lead, trainer = replace(head, levels=head.levels[: lead_levels(head, profile)]), "train.py"
    levels = by_levels(lead, trainer)
    steps: dict[str, tuple[GainStep, ...]] = {
        "box": (levels,),
        "obj": (by_area(head, 640, trainer), levels),
        "cls": (by_classes(head, trainer), levels),
    }
    values = {"box": hyp.box, "obj": hyp.obj, "cls": hyp.cls}
    return tuple(Gain(term, term, values[term], steps[term]) for term in TERMS)


def scaled(hyp: Hyp, head: Head, profile: str) -> Hyp:
    """The hyp after train.py has scaled its gains."""
    used = {gain.term: gain.used for gain in gain_ledger(hyp, head, profile)}
    return replace(hyp, box=used["box"], obj=used["obj"], cls=used["cls"])


def prior(head: Head, hyp: Hyp, profile: str) -> tuple[Tensor, ...]:
    """obj: log(8 / cells of a 640 px picture), cls: log(0.6 / (classes - 0.99)), the rest 0."""
    from detloss_cli.losses.grid_marks import prior_logits

    obj = [math.log(8 / (640 / stride) ** 2) for stride in head.strides]
    return prior_logits(head, obj, math.log(0.6 / (head.num_classes - 0.99)))


def base_rate(head: Head, hyp: Hyp, profile: str, batches: Sequence[BatchTargets]) -> tuple[Tensor, ...]:
    """Constant objectness and class logits that minimise the loss on the assignment of the prior; boxes as in the prior."""
    from detloss_cli.losses.grid_marks import base_rate_head

    pairs = [(batch.targets, batch.assignment, batch.head or head) for batch in batches]
    return base_rate_head(head, channels(head), prior(head, hyp, profile), pairs, _rules(hyp))


def perfect(head: Head, hyp: Hyp, profile: str, targets: Targets, assignment: Assignment) -> Predictions:
    """The head that answers each slot with its winning target. OTA gives a box more slots the better they answer: those that it takes when
    all of its candidates do."""
    import torch

    from detloss_cli.geometry.decode import encode_sigmoid
    from detloss_cli.losses.grid_marks import perfect_head
    from detloss_cli.targets.ratio_ota import shifted

    def answering(rows: Assignment) -> Predictions:
        return perfect_head(head, channels(head), targets, rows, _rules(hyp), encode_sigmoid, torch.float64)

    if not _by_ota(hyp, profile):
        return answering(assignment)
    bids = _candidates(head, hyp, targets, profile)
    every = bids[0] if len(bids) == 1 else joined(bids[0], shifted(bids[1], lead_levels(head, profile)))
    return answering(assign(head, hyp, targets, answering(every), profile=profile))


def assign(head: Head, hyp: Hyp, targets: Targets, predictions: Predictions | None = None, *, profile: str) -> Assignment:
    """Candidates by anchor ratio, then the cheapest by the lead head's predictions; those of the auxiliary maps bid with the lead's too.

    Raises:
        DetlossError: no predictions, and the loss is not the plain one.
    """
    from detloss_cli.targets.ratio_ota import ratio_ota, shifted

    bids = _candidates(head, hyp, targets, profile)
    if not _by_ota(hyp, profile):
        return bids[0]
    if predictions is None:
        raise DetlossError("yolov7 assigns by predictions", where="--preds", hint="give head outputs, or name a synthetic head")
    lead, at = head.levels[: lead_levels(head, profile)], predictions.at
    taken = [ratio_ota(targets, bid, lead, channels(head), at, side_px=head.imgsz[0], top=PROFILES[profile].top) for bid in bids]
    return taken[0] if len(taken) == 1 else joined(taken[0], shifted(taken[1], len(lead)))


def open_slots(head: Head, hyp: Hyp, targets: Targets, *, profile: str) -> tuple[Open, ...]:
    """The slots of the lead maps that bid for a box: those of anchors of its shape. Without predictions the plain loss takes them all."""
    bids = _candidates(head, hyp, targets, profile)[0]
    levels, boxes = lead_levels(head, profile), targets.boxes.shape[0]
    slots = np.bincount(bids.gt * levels + bids.level, minlength=boxes * levels).reshape(boxes, levels)
    return (Open("anchor of its shape", slots),)


def _by_ota(hyp: Hyp, profile: str) -> bool:
    return PROFILES[profile].ota and hyp.loss_ota != 0


def _candidates(head: Head, hyp: Hyp, targets: Targets, profile: str) -> tuple[Assignment, ...]:
    """The slots that a box can have: of the lead maps, and of the auxiliary ones, which reach further, on the same levels."""
    lead = head.levels[: lead_levels(head, profile)]
    auxiliary = PROFILES[profile].auxiliary and _by_ota(hyp, profile)
    reaches = (0.5, 1.0) if auxiliary else (0.5,)
    return tuple(assign_by_anchor_ratio(targets, lead, threshold=hyp.anchor_t, reach=reach) for reach in reaches)


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
    """box + obj + cls over levels, auxiliary maps at a quarter; the trainer multiplies by the batch size before backward.

    Args:
        state: objectness weights that autobalance left behind, None for the release's own.
    """
    from detloss_cli.losses.autobalance import rebalanced
    from detloss_cli.losses.grid_terms import grid_terms, shown, weighted
    from detloss_cli.losses.term import LossBreakdown

    rules, lead = _rules(hyp), lead_levels(head, profile)
    weights = (BALANCE3 if lead == 3 else BALANCE)[:lead] if state is None else state
    parts = grid_terms(head, channels(head), targets, predictions, assignment, rules)
    terms: list[Term] = []
    for index, part in enumerate(parts):
        share = 1.0 if index < lead else AUXILIARY_WEIGHT
        terms += weighted(index, part, hyp.box * share, hyp.obj * weights[index % lead] * share, hyp.cls * share)
    seen = [float(part.obj.detach()) for part in parts[:lead]]
    moved = rebalanced(weights, seen, head.strides[:lead]) if hyp.autobalance else tuple(weights)
    extra = {**shown(parts), "balance": (*weights, *weights)[: len(head.levels)]}
    return LossBreakdown(tuple(terms), float(predictions.images), moved, extra)


def reasons(head: Head, hyp: Hyp, targets: Targets, assignment: Assignment, *, profile: str) -> dict[int, Reason]:
    """For each box without a row: the ratio that no anchor meets, or who got its candidates."""
    without = without_rows(targets, assignment)
    lead = head.levels[: lead_levels(head, profile)]
    evidence = assignment.of_targets
    bids = {int(box): int(evidence["candidates"][box]) if evidence else 0 for box in without}
    silent = without[[index for index, box in enumerate(without.tolist()) if not bids[box]]]
    found = {gt: Reason(*reason) for gt, reason in ratio_reasons(targets, lead, hyp.anchor_t, head.imgsz, silent).items()}
    for box, count in bids.items():
        if count:
            text = (
                f"lost all of {count} candidates to other boxes: its cheapest, at cost {float(evidence['best_cost'][box]):.2f}, went to box"
            )
            found[box] = Reason("lost_to_other_box", f"{text} {int(evidence['rival'][box]) + 1} of the batch")
    return found


def decoded(head: Head, hyp: Hyp, predictions: Predictions, assignment: Assignment, index: int, rows: Tensor, *, profile: str) -> Tensor:
    """The boxes that some rows of a level answer, `xyxy` px."""
    from detloss_cli.losses.grid_answers import grid_boxes

    return grid_boxes(head, index, channels(head), predictions, assignment, rows, _rules(hyp).decode)


def background(
    head: Head, hyp: Hyp, targets: Targets, predictions: Predictions, assignment: Assignment, index: int, *, profile: str
) -> tuple[str, Tensor]:
    """Objectness of the cells that no row has."""
    from detloss_cli.losses.grid_answers import grid_background

    return grid_background(head, index, channels(head), predictions, assignment, _rules(hyp).obj)


def _rules(hyp: Hyp) -> GridRules:
    from detloss_cli.geometry.decode import decode_sigmoid
    from detloss_cli.losses.anchor_grid import GridRules
    from detloss_cli.losses.bce import smooth_bce
    from detloss_cli.losses.elementwise import forms

    present, absent = smooth_bce(hyp.label_smoothing)
    return GridRules(decode_sigmoid, "ciou", YOLOV7, *forms(hyp), hyp.gr, False, present, absent)
