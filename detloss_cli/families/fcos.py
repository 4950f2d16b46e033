"""FCOS as torchvision has it: centre sampling by level, focal loss, GIoU, centre-ness."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from detloss_cli.families.hyp import hyp_field
from detloss_cli.families.interface import BatchTargets, Gain, Reason
from detloss_cli.geometry.anchor_boxes import grid_step
from detloss_cli.geometry.box_code import decode_distances, encode_distances
from detloss_cli.geometry.iou import TORCHVISION, iou
from detloss_cli.inputs.head import Channels, Head
from detloss_cli.predictions.certain import CERTAIN
from detloss_cli.targets.assignment import Assignment, Frame, Targets, without_rows
from detloss_cli.targets.centre_radius import assign_by_centre_radius
from detloss_cli.targets.centre_reasons import centre_reasons

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from detloss_cli.losses.dense_sum import Slots
    from detloss_cli.losses.elementwise import Form
    from detloss_cli.losses.term import LossBreakdown
    from detloss_cli.predictions.interface import Predictions

ID = "fcos"
TITLE = "FCOS: centre sampling by level, focal loss, GIoU, centre-ness"
SOURCE = "pytorch/vision 0.29.1, torchvision.models.detection.fcos"
LICENCE = "BSD-3-Clause"
NEEDS_PREDICTIONS = False
FRAME: Frame = "xyxy_px"
IMGSZ = 800
DIVISOR = 32  # torchvision pads its batches to a multiple of it
MODEL = "fcos"
HYP = "fcos"
LOADER = "strict"
TERMS = ("cls", "box", "centerness")
PROFILES: Mapping[str, None] = {"0.29.1": None}


@dataclass(frozen=True, slots=True)
class Hyp:
    """Arguments of the model that the loss reads."""

    center_sampling_radius: float = hyp_field(1.5, None, None, "how near a point must be to a box's centre, strides, exclusive")
    focal_alpha: float = hyp_field(0.25, None, None, "focal weight of a present class; an absent one has 1 - alpha")
    focal_gamma: float = hyp_field(2.0, None, None, "focal gamma")


def channels(head: Head) -> Channels:
    """left, top, right, bottom after the head's ReLU, centre-ness, then one a class."""
    return Channels(slice(0, 4), 4, slice(5, 5 + head.num_classes))


def gain_ledger(hyp: Hyp, head: Head, profile: str) -> tuple[Gain, ...]:
    """The terms are added as they are."""
    return tuple(Gain(name, name, 1.0, ()) for name in TERMS)


def scaled(hyp: Hyp, head: Head, profile: str) -> Hyp:
    """The hyp as it is: this trainer scales nothing."""
    return hyp


def prior(head: Head, hyp: Hyp, profile: str) -> tuple[Tensor, ...]:
    """cls: -log(99), a probability of 0.01; the rest 0."""
    import torch

    bias = torch.zeros(1, 5 + head.num_classes, dtype=torch.float64)
    bias[:, 5:] = -math.log(99)
    return tuple(bias.clone() for _ in head.levels)


def base_rate(head: Head, hyp: Hyp, profile: str, batches: Sequence[BatchTargets]) -> tuple[Tensor, ...]:
    """Constant class logits by search, centre-ness logits by the mean target; boxes as in the prior."""
    import torch

    from detloss_cli.losses.constant_logit import bce_minimum, rate_minimum

    fitted = []
    for index, bias in enumerate(prior(head, hyp, profile)):
        cells, share, centre, classes = 0.0, 0.0, 0.0, torch.zeros(head.num_classes, dtype=torch.float64)
        for batch in batches:
            weight = 1 / max(len(batch.assignment), 1)
            rows, slot = _rows(batch.assignment, index)
            cells += head.levels[index].slots * batch.targets.images * weight
            share += len(rows) * weight
            wanted = _distances(head, index, batch.targets, batch.assignment.gt[rows], slot, torch.float64)
            centre += float(centerness(wanted).sum()) * weight
            found = batch.targets.cls[batch.assignment.gt[rows]].long().cpu()
            classes.index_add_(0, found, torch.full((len(found),), weight, dtype=torch.float64))
        bias[:, 5:] = rate_minimum(_focal(hyp), classes / max(cells, CERTAIN))
        if share > 0:
            bias[:, 4] = bce_minimum(torch.tensor(centre / share, dtype=torch.float64))
        fitted.append(bias)
    return tuple(fitted)


def perfect(head: Head, hyp: Hyp, profile: str, targets: Targets, assignment: Assignment) -> Predictions:
    """Each positive answers with its distances, their centre-ness and its class; all else says no."""
    import torch

    from detloss_cli.predictions.synthetic import AnswerHead

    width, low = 5 + head.num_classes, math.log(CERTAIN / (1 - CERTAIN))
    bias = torch.full((1, width), low, dtype=torch.float64, device=targets.boxes.device)
    bias[:, :4] = 0
    answers, slots = [], []
    for index in range(len(head.levels)):
        rows, slot = _rows(assignment, index)
        gt = assignment.gt[rows]
        wanted = _distances(head, index, targets, gt, slot, torch.float64)
        answer = bias.expand(len(rows), width).clone()
        answer[:, :4] = wanted
        answer[:, 4] = torch.logit(centerness(wanted).clamp(CERTAIN, 1 - CERTAIN))
        answer[:, 5:] = answer[:, 5:].scatter(1, targets.cls[gt].long()[:, None], -low)
        answers.append(answer)
        slots.append(slot)
    return AnswerHead([bias] * len(head.levels), head.levels, targets.images, answers, slots)


def assign(head: Head, hyp: Hyp, targets: Targets, predictions: Predictions | None = None, *, profile: str) -> Assignment:
    """Each grid point takes the smallest box that it can serve. Reads no predictions."""
    return assign_by_centre_radius(targets, head.levels, head.imgsz, radius=hyp.center_sampling_radius)


def loss(
    head: Head, hyp: Hyp, targets: Targets, predictions: Predictions, assignment: Assignment, *, profile: str, state: Any = None
) -> LossBreakdown:
    """cls + box + centerness, each a sum over N = max(positives of the batch, 1).

    cls: focal loss of every point and class. box: 1 - GIoU of positives. centerness: BCE of positives.
    """
    import torch

    from detloss_cli.losses.bce import bce_with_logits
    from detloss_cli.losses.dense_sum import sum_by_image
    from detloss_cli.losses.term import LossBreakdown, Term

    normaliser, elementwise, terms = max(len(assignment), 1), _focal(hyp), []
    for index in range(len(head.levels)):
        rows, slot = _rows(assignment, index)
        gt, logits = assignment.gt[rows], predictions.at(index, *slot)
        point, size = _points(head, index, slot, logits.dtype)
        decoded = decode_distances(logits[:, :4], point, size)
        per_box = 1 - iou(decoded, targets.boxes[gt].to(logits.dtype), kind="giou", form=TORCHVISION)
        wanted = _distances(head, index, targets, gt, slot, logits.dtype)
        per_centre = bce_with_logits(logits[:, 4], centerness(wanted))
        present = torch.zeros_like(logits[:, 5:]).scatter(1, targets.cls[gt].long()[:, None], 1.0)
        per_cls = elementwise(logits[:, 5:], present).sum(1)
        cls = sum_by_image(predictions, index, channels(head).cls, elementwise, slot, per_cls).sum()
        sums = {"cls": (cls, per_cls), "box": (per_box.sum(), per_box), "centerness": (per_centre.sum(), per_centre)}
        terms += [Term(name, index, total / normaliser, 1.0, len(rows), each, 1 / normaliser) for name, (total, each) in sums.items()]
    ordered = sorted(terms, key=lambda term: TERMS.index(term.name))
    return LossBreakdown(tuple(ordered), extra={"normaliser": normaliser})


def reasons(head: Head, hyp: Hyp, targets: Targets, assignment: Assignment, *, profile: str) -> dict[int, Reason]:
    """No point inside, out of the range of the levels that have one, or lost to smaller boxes."""
    found = centre_reasons(targets, head.levels, head.imgsz, hyp.center_sampling_radius, without_rows(targets, assignment))
    return {gt: Reason(*reason) for gt, reason in found.items()}


def centerness(distances: Tensor) -> Tensor:
    """sqrt(min(l, r) / max(l, r) min(t, b) / max(t, b)), (P,): 1 in the middle of a box, 0 at its sides.

    Args:
        distances: (P, 4) left, top, right, bottom, any unit.
    """
    import torch

    across, down = distances[:, 0::2], distances[:, 1::2]
    return torch.sqrt(across.amin(1) / across.amax(1) * (down.amin(1) / down.amax(1)))


def _focal(hyp: Hyp) -> Form:
    from detloss_cli.losses.elementwise import Form

    return Form("focal", gamma=hyp.focal_gamma, alpha=hyp.focal_alpha)


def _rows(assignment: Assignment, index: int) -> tuple[Tensor, Slots]:
    """Rows of a level, and their slots."""
    import torch

    rows = torch.nonzero(assignment.level == index).squeeze(1)
    return rows, (assignment.image[rows], assignment.anchor[rows], assignment.row[rows], assignment.col[rows])


def _points(head: Head, index: int, slot: Slots, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """(P, 2) x and y of the points, (P, 1) size of their level, px."""
    import torch

    level = head.levels[index]
    step = torch.tensor(grid_step(level, head.imgsz), dtype=dtype, device=slot[2].device)
    point = torch.stack((slot[3], slot[2]), 1).to(dtype) * step
    return point, torch.full_like(point[:, :1], level.stride)


def _distances(head: Head, index: int, targets: Targets, gt: Tensor, slot: Slots, dtype: torch.dtype) -> Tensor:
    """(P, 4) distances of the points to the sides of their boxes, in units of the level's size."""
    wanted: Tensor = encode_distances(targets.boxes[gt].to(dtype), *_points(head, index, slot, dtype))
    return wanted
