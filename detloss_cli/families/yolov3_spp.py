"""yolov3-spp: anchors by shape IoU, GIoU, objectness towards the GIoU. The 2020 archive and the variant that tutorials walk through."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from detloss_cli.errors import DetlossError
from detloss_cli.families.gains import by_classes, by_size
from detloss_cli.families.head_kind import ANCHORS
from detloss_cli.families.hyp import hyp_field
from detloss_cli.families.interface import BatchTargets, Gain, Reason
from detloss_cli.geometry.iou import YOLOV5_1
from detloss_cli.inputs.head import Channels, Head
from detloss_cli.targets.anchor_ratio import outside_grid
from detloss_cli.targets.assignment import Assignment, Frame, Targets, without_rows
from detloss_cli.targets.shape_match import assign_by_shape
from detloss_cli.targets.shape_reasons import shape_reasons

if TYPE_CHECKING:
    from torch import Tensor

    from detloss_cli.losses.anchor_grid import GridRules
    from detloss_cli.losses.grid_stack import GridStack
    from detloss_cli.losses.term import LossBreakdown
    from detloss_cli.predictions.interface import Predictions

ID = "yolov3-spp"
TITLE = "YOLOv3-SPP: shape IoU, GIoU, objectness towards the GIoU"
SOURCE = "ultralytics/yolov3 archive; WZMIAOMIAO/deep-learning-for-image-processing yolov3_spp"
LICENCE = "GPL-3.0"
NEEDS_PREDICTIONS = False
FRAME: Frame = "cxcywh"
COARSE_FIRST = True
IMGSZ = 512
RECT = True
MODEL = "yolov3-spp"
HEAD = ANCHORS
HYP = "yolov3-spp"
LOADER = "yolov3-spp"
TERMS = ("box", "obj", "cls")
NOMINAL_BATCH = 64


@dataclass(frozen=True, slots=True)
class Hyp:
    """Keys of a yolov3-spp hyp that the loss reads, and the switches that are no keys. gr: share of the GIoU in the objectness target,
    which the archive ramps from 0 to 1 during burn-in."""

    giou: float = hyp_field(3.54, None, None, "gain of the box term")
    cls: float = hyp_field(37.4, None, None, "gain of the class term")
    cls_pw: float = hyp_field(1.0, None, None, "BCE weight of a present class")
    obj: float = hyp_field(64.3, None, None, "gain of the objectness term")
    obj_pw: float = hyp_field(1.0, None, None, "BCE weight of a positive cell")
    iou_t: float = hyp_field(0.20, 0.1, 0.7, "shape IoU that matches, exclusive")
    fl_gamma: float = hyp_field(0.0, 0.0, 2.0, "focal gamma of cls and obj, 0 is plain BCE")
    gr: float = 1.0
    element: str | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """One revision. clamp: cells are kept inside the grid. by_size: the trainer scales obj by imgsz / 320. nominal: the trainer multiplies
    the loss with batch / 64. items: how many items are returned."""

    clamp: bool
    by_size: bool = False
    nominal: bool = False
    items: int = 3


PROFILES: Mapping[str, Profile] = {
    "wzm-preclamp": Profile(clamp=False, by_size=True),
    "wzm": Profile(clamp=True, by_size=True),
    "v7": Profile(clamp=False, nominal=True, items=4),
    "archive": Profile(clamp=True, nominal=True, items=4),
}


def channels(head: Head) -> Channels:
    """x, y, w, h, objectness, then one a class."""
    return Channels(slice(0, 4), 4, slice(5, 5 + head.num_classes))


def gain_ledger(hyp: Hyp, head: Head, profile: str) -> tuple[Gain, ...]:
    """giou, obj and cls from the hyp file to the loss: 37.4 and 64.3 at 20 classes and 512 px become the 9.35 and 102.88 of tutorials."""
    trainer = "train.py"
    obj = (by_size(head, 320, trainer),) if PROFILES[profile].by_size else ()
    return Gain("box", "giou", hyp.giou, ()), Gain("obj", "obj", hyp.obj, obj), Gain("cls", "cls", hyp.cls, (by_classes(head, trainer),))


def scaled(hyp: Hyp, head: Head, profile: str) -> Hyp:
    """The hyp after train.py has scaled its gains."""
    used = {gain.term: gain.used for gain in gain_ledger(hyp, head, profile)}
    return replace(hyp, obj=used["obj"], cls=used["cls"])


def prior(head: Head, hyp: Hyp, profile: str) -> tuple[Tensor, ...]:
    """obj: -4.5, cls: log(0.6 / (classes - 0.99)), the rest 0."""
    from detloss_cli.losses.grid_marks import prior_logits

    return prior_logits(head, [-4.5] * len(head.levels), math.log(0.6 / (head.num_classes - 0.99)))


def base_rate(head: Head, hyp: Hyp, profile: str, batches: Sequence[BatchTargets]) -> tuple[Tensor, ...]:
    """Constant objectness and class logits that minimise the loss; boxes as in the prior."""
    from detloss_cli.losses.grid_marks import base_rate_head

    pairs = [(batch.targets, batch.assignment, batch.head or head) for batch in batches]
    return base_rate_head(head, channels(head), prior(head, hyp, profile), pairs, _rules(hyp))


def perfect(head: Head, hyp: Hyp, profile: str, targets: Targets, assignment: Assignment) -> Predictions:
    """The head that answers each slot with its winning target."""
    import torch

    from detloss_cli.geometry.decode import encode_exponential
    from detloss_cli.losses.grid_marks import perfect_head

    return perfect_head(head, channels(head), targets, assignment, _rules(hyp), encode_exponential, torch.float64)


def assign(head: Head, hyp: Hyp, targets: Targets, predictions: Predictions | None = None, *, profile: str) -> Assignment:
    """Every anchor whose shape overlaps a box by more than `iou_t`, in the box's cell.

    Raises:
        DetlossError: a centre on the right or lower edge, in a revision without the clamp, which raises IndexError there.
    """
    rows = assign_by_shape(targets, head.levels, threshold=hyp.iou_t, clamp=PROFILES[profile].clamp)
    if not PROFILES[profile].clamp and bool(outside_grid(rows, head.levels).any()):
        first = int(rows.gt[outside_grid(rows, head.levels)][0])
        raise DetlossError(f"box {first} has its centre on the edge: this revision raises IndexError", hint="the archive clamps the cell")
    return rows


def refused(head: Head, hyp: Hyp, targets: Targets, *, profile: str) -> dict[int, Reason]:
    """Boxes that this revision cannot take at all: it raises IndexError over them."""
    if PROFILES[profile].clamp:
        return {}
    rows = assign_by_shape(targets, head.levels, threshold=hyp.iou_t, clamp=False)
    bad = rows.gt[outside_grid(rows, head.levels)]
    return {int(gt): Reason("edge_of_grid", f"centre on the right or lower edge: {profile} raises IndexError") for gt in bad}


def loss(
    head: Head, hyp: Hyp, targets: Targets, predictions: Predictions, assignment: Assignment, *, profile: str, state: None = None
) -> LossBreakdown:
    """box + obj + cls over levels. The archive's train loop multiplies by batch / 64, the other returns the plain sum."""
    from detloss_cli.losses.grid_terms import grid_terms, shown, weighted
    from detloss_cli.losses.term import LossBreakdown

    rules = _rules(hyp)
    parts = grid_terms(head, channels(head), targets, predictions, assignment, rules)
    terms = [term for index, part in enumerate(parts) for term in weighted(index, part, hyp.giou, hyp.obj, hyp.cls)]
    factor = predictions.images / NOMINAL_BATCH if PROFILES[profile].nominal else 1.0
    return LossBreakdown(tuple(terms), factor, None, shown(parts))


def stacked(head: Head, hyp: Hyp, profile: str) -> GridStack:
    """The loss of many batches at once."""
    import torch

    from detloss_cli.geometry.decode import encode_exponential
    from detloss_cli.losses.grid_stack import GridStack

    nominal = PROFILES[profile].nominal
    gains = [(hyp.giou, hyp.obj, hyp.cls)] * len(head.levels)
    return GridStack(
        head,
        channels(head),
        _rules(hyp),
        prior(head, hyp, profile),
        gains,
        lambda images: images / NOMINAL_BATCH if nominal else torch.ones_like(images),
        encode_exponential,
    )


def reasons(head: Head, hyp: Hyp, targets: Targets, assignment: Assignment, *, profile: str) -> dict[int, Reason]:
    """For each box without a row: the shape overlap that no anchor reaches."""
    found = shape_reasons(targets, head.levels, hyp.iou_t, head.imgsz, without_rows(targets, assignment))
    return {gt: Reason(*reason) for gt, reason in found.items()}


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
    from detloss_cli.geometry.decode import decode_exponential
    from detloss_cli.losses.anchor_grid import GridRules
    from detloss_cli.losses.elementwise import forms

    return GridRules(decode_exponential, "giou", YOLOV5_1, *forms(hyp), hyp.gr)
