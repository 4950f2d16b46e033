"""RetinaNet as torchvision has it: anchors by IoU, focal loss, L1 of encoded boxes, each image divided by its own positives."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from detloss_cli.families.head_kind import ANCHORS
from detloss_cli.families.hyp import hyp_field
from detloss_cli.families.interface import BatchTargets, Gain, Reason
from detloss_cli.geometry.anchor_boxes import anchor_boxes
from detloss_cli.geometry.box_code import encode_deltas
from detloss_cli.inputs.head import Channels, Head
from detloss_cli.predictions.certain import CERTAIN
from detloss_cli.targets.assignment import Assignment, Frame, Targets, without_rows
from detloss_cli.targets.iou_threshold import assign_by_iou

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from detloss_cli.losses.dense_sum import Slots
    from detloss_cli.losses.elementwise import Form
    from detloss_cli.losses.term import LossBreakdown
    from detloss_cli.predictions.interface import Predictions

ID = "retinanet"
TITLE = "RetinaNet: anchors by IoU, focal loss, L1 of encoded boxes"
SOURCE = "pytorch/vision 0.29.1, torchvision.models.detection.retinanet"
LICENCE = "BSD-3-Clause"
NEEDS_PREDICTIONS = False
FRAME: Frame = "xyxy_px"
IMGSZ = 800
DIVISOR = 32  # torchvision pads its batches to a multiple of it
MODEL = "retinanet"
HEAD = ANCHORS
HYP = "retinanet"
LOADER = "strict"
TERMS = ("cls", "box")
PROFILES: Mapping[str, None] = {"0.29.1": None}


@dataclass(frozen=True, slots=True)
class Hyp:
    """Arguments of the model that the loss reads."""

    fg_iou: float = hyp_field(0.5, None, None, "an anchor is positive from this IoU on")
    bg_iou: float = hyp_field(0.4, None, None, "an anchor is background below this IoU, and ignored from here to fg_iou")
    focal_alpha: float = hyp_field(0.25, None, None, "focal weight of a present class; an absent one has 1 - alpha")
    focal_gamma: float = hyp_field(2.0, None, None, "focal gamma")


def channels(head: Head) -> Channels:
    """Four deltas, then one a class."""
    return Channels(slice(0, 4), None, slice(4, 4 + head.num_classes))


def gain_ledger(hyp: Hyp, head: Head, profile: str) -> tuple[Gain, ...]:
    """The terms are added as they are."""
    return tuple(Gain(name, name, 1.0, ()) for name in TERMS)


def scaled(hyp: Hyp, head: Head, profile: str) -> Hyp:
    """The hyp as it is: this trainer scales nothing."""
    return hyp


def prior(head: Head, hyp: Hyp, profile: str) -> tuple[Tensor, ...]:
    """cls: -log(99), a probability of 0.01; the rest 0, so that boxes are the anchors."""
    import torch

    biases = [torch.zeros(len(level.anchors), 4 + head.num_classes, dtype=torch.float64) for level in head.levels]
    for bias in biases:
        bias[:, 4:] = -math.log(99)
    return tuple(biases)


def base_rate(head: Head, hyp: Hyp, profile: str, batches: Sequence[BatchTargets]) -> tuple[Tensor, ...]:
    """Constant class logits by search, one for all anchors of a level; boxes as in the prior."""
    import torch

    from detloss_cli.losses.constant_logit import rate_minimum

    fitted = []
    for index, bias in enumerate(prior(head, hyp, profile)):
        cells, classes = 0.0, torch.zeros(head.num_classes, dtype=torch.float64)
        for batch in batches:
            weight = (1 / _normalisers(batch.assignment, batch.targets.images, torch.float64)).cpu()
            rows, slot = _rows(batch.assignment, index)
            skipped = batch.assignment.ignored["image"][batch.assignment.ignored["level"] == index].cpu()
            cells += float(weight.sum() * head.levels[index].slots - weight[skipped].sum())
            classes.index_add_(0, batch.targets.cls[batch.assignment.gt[rows]].long().cpu(), weight[slot[0].cpu()])
        bias[:, 4:] = rate_minimum(_focal(hyp), classes / max(cells, CERTAIN))
        fitted.append(bias)
    return tuple(fitted)


def perfect(head: Head, hyp: Hyp, profile: str, targets: Targets, assignment: Assignment) -> Predictions:
    """Each positive answers with its deltas and its class; all else says no."""
    import torch

    from detloss_cli.predictions.synthetic import AnswerHead

    width, low = 4 + head.num_classes, math.log(CERTAIN / (1 - CERTAIN))
    biases, answers, slots = [], [], []
    for index, level in enumerate(head.levels):
        rows, slot = _rows(assignment, index)
        bias = torch.full((len(level.anchors), width), low, dtype=torch.float64, device=targets.boxes.device)
        bias[:, :4] = 0
        answer = bias[slot[1]].clone()
        answer[:, :4] = _deltas(head, index, targets, assignment.gt[rows], slot, torch.float64)
        answer[:, 4:] = answer[:, 4:].scatter(1, targets.cls[assignment.gt[rows]].long()[:, None], -low)
        biases.append(bias)
        answers.append(answer)
        slots.append(slot)
    return AnswerHead(biases, head.levels, targets.images, answers, slots)


def assign(head: Head, hyp: Hyp, targets: Targets, predictions: Predictions | None = None, *, profile: str) -> Assignment:
    """Each anchor takes the box it overlaps most, if enough. Reads no predictions."""
    return assign_by_iou(targets, head.levels, head.imgsz, positive=hyp.fg_iou, background=hyp.bg_iou)


def loss(
    head: Head, hyp: Hyp, targets: Targets, predictions: Predictions, assignment: Assignment, *, profile: str, state: Any = None
) -> LossBreakdown:
    """cls + box: in each image a sum over its max(positives, 1), and the mean of that over images.

    cls: focal loss of every anchor and class but for ignored anchors. box: L1 of the four deltas of positives.
    """
    import torch

    from detloss_cli.losses.dense_sum import sum_by_image
    from detloss_cli.losses.term import LossBreakdown, Term

    elementwise, classes, terms = _focal(hyp), channels(head).cls, []
    for index in range(len(head.levels)):
        rows, slot = _rows(assignment, index)
        gt, logits = assignment.gt[rows], predictions.at(index, *slot)
        share = 1 / (_normalisers(assignment, predictions.images, logits.dtype) * predictions.images)
        per_box = (logits[:, :4] - _deltas(head, index, targets, gt, slot, logits.dtype)).abs().sum(1)
        present = torch.zeros_like(logits[:, 4:]).scatter(1, targets.cls[gt].long()[:, None], 1.0)
        per_cls = elementwise(logits[:, 4:], present).sum(1)
        skipped = _ignored(assignment, index)
        told = tuple(torch.cat(pair) for pair in zip(slot, skipped, strict=True))
        by_image = sum_by_image(
            predictions,
            index,
            classes,
            elementwise,
            (told[0], told[1], told[2], told[3]),
            torch.cat((per_cls, per_cls.new_zeros(len(skipped[0])))),
        )
        terms.append(Term("cls", index, (by_image * share).sum(), 1.0, len(rows), per_cls, share[slot[0]]))
        terms.append(Term("box", index, (per_box * share[slot[0]]).sum(), 1.0, len(rows), per_box, share[slot[0]]))
    ordered = sorted(terms, key=lambda term: TERMS.index(term.name))
    return LossBreakdown(tuple(ordered), extra={"normaliser": _normalisers(assignment, predictions.images, torch.float64)})


def reasons(head: Head, hyp: Hyp, targets: Targets, assignment: Assignment, *, profile: str) -> dict[int, Reason]:
    """The best anchors of the box overlap another one more."""
    found = {}
    for gt in without_rows(targets, assignment).tolist():
        best, rival = float(assignment.of_targets["best_iou"][gt]), int(assignment.of_targets["rival"][gt])
        side = "below" if best < hyp.fg_iou else "enough for"
        given = f"best IoU with an anchor {best:.3f}, {side} fg_iou {hyp.fg_iou:g}"
        text = f"{given}; its best anchors overlap other boxes more, such as box {rival}"
        found[gt] = Reason("lost_to_another_box", text)
    return found


def _focal(hyp: Hyp) -> Form:
    from detloss_cli.losses.elementwise import Form

    return Form("focal", gamma=hyp.focal_gamma, alpha=hyp.focal_alpha)


def _normalisers(assignment: Assignment, images: int, dtype: torch.dtype) -> Tensor:
    """(B,) positives of each image, at least 1."""
    import torch

    return torch.bincount(assignment.image, minlength=images).clamp(min=1).to(dtype)


def _rows(assignment: Assignment, index: int) -> tuple[Tensor, Slots]:
    """Rows of a level, and their slots."""
    import torch

    rows = torch.nonzero(assignment.level == index).squeeze(1)
    return rows, (assignment.image[rows], assignment.anchor[rows], assignment.row[rows], assignment.col[rows])


def _ignored(assignment: Assignment, index: int) -> Slots:
    """Slots of a level that train nothing."""
    import torch

    ignored = assignment.ignored
    rows = torch.nonzero(ignored["level"] == index).squeeze(1)
    return ignored["image"][rows], ignored["anchor"][rows], ignored["row"][rows], ignored["col"][rows]


def _deltas(head: Head, index: int, targets: Targets, gt: Tensor, slot: Slots, dtype: torch.dtype) -> Tensor:
    """(P, 4) what the head should say of its boxes."""
    boxes = targets.boxes[gt].to(dtype)
    wanted: Tensor = encode_deltas(boxes, anchor_boxes(head.levels[index], head.imgsz, *slot[1:], boxes))
    return wanted
