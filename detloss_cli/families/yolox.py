"""YOLOX: SimOTA, squared IoU, objectness and classes summed and divided by the positives. Releases 0.1.0 to HEAD."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from detloss_cli.errors import DetlossError
from detloss_cli.families.hyp import hyp_field
from detloss_cli.families.interface import BatchTargets, Gain, Open, Reason
from detloss_cli.geometry.box_code import decode_from_cell, encode_from_cell
from detloss_cli.geometry.iou import YOLOX, YOLOX_010, IouForm, iou
from detloss_cli.inputs.head import Channels, Head
from detloss_cli.predictions.certain import CERTAIN
from detloss_cli.targets.assignment import Assignment, Frame, Targets, without_rows
from detloss_cli.targets.sim_ota_rules import SimOtaRules

if TYPE_CHECKING:
    from torch import Tensor

    from detloss_cli.losses.dense_sum import Slots
    from detloss_cli.losses.term import LossBreakdown
    from detloss_cli.predictions.interface import Predictions
    from detloss_cli.targets.sim_ota import Candidates

ID = "yolox"
TITLE = "YOLOX: SimOTA, squared IoU, sums over the positives"
SOURCE = "Megvii-BaseDetection/YOLOX 0.1.0 to 6ddff48"
LICENCE = "Apache-2.0"
NEEDS_PREDICTIONS = True
FRAME: Frame = "cxcywh_px"
IMGSZ = 640
MODEL = "yolox-s"
HYP = "yolox"
LOADER = "strict"
TERMS = ("box", "obj", "cls", "l1")
NO_SIZE = -20.0  # raw width and height of a box of no size, exp(-20) strides


@dataclass(frozen=True, slots=True)
class Hyp:
    """What upstream has as constants in its head, and its switches."""

    reg_weight: float = hyp_field(5.0, None, None, "gain of the box term")
    use_l1: bool = False
    iou_loss: Literal["iou", "giou"] = "iou"


@dataclass(frozen=True, slots=True)
class Profile:
    """One release. rules: of the assignment. form: guards of the box loss."""

    rules: SimOtaRules
    form: IouForm


_OLD = SimOtaRules(radius=2.5, in_box=True, penalty=1e5)
PROFILES: Mapping[str, Profile] = {
    "0.1.0": Profile(_OLD, YOLOX_010),
    "0.3.0": Profile(_OLD, YOLOX),
    "head": Profile(SimOtaRules(radius=1.5, in_box=False, penalty=1e6), YOLOX),
}


def channels(head: Head) -> Channels:
    """x, y, w, h, objectness, then one a class."""
    return Channels(slice(0, 4), 4, slice(5, 5 + head.num_classes))


def gain_ledger(hyp: Hyp, head: Head, profile: str) -> tuple[Gain, ...]:
    """Constants of the head; nothing is scaled. l1 is on in the last epochs, when mosaic is off."""
    return (
        Gain("box", "reg_weight", hyp.reg_weight, ()),
        Gain("obj", "obj", 1.0, ()),
        Gain("cls", "cls", 1.0, ()),
        Gain("l1", "use_l1", float(hyp.use_l1), ()),
    )


def scaled(hyp: Hyp, head: Head, profile: str) -> Hyp:
    """The hyp as it is: this trainer scales nothing."""
    return hyp


def prior(head: Head, hyp: Hyp, profile: str) -> tuple[Tensor, ...]:
    """obj and cls: -log(99), a probability of 0.01; the rest 0."""
    import torch

    bias = torch.zeros(1, 5 + head.num_classes, dtype=torch.float64)
    bias[:, 4:] = -math.log(99)
    return tuple(bias.clone() for _ in head.levels)


def base_rate(head: Head, hyp: Hyp, profile: str, batches: Sequence[BatchTargets]) -> tuple[Tensor, ...]:
    """Constant objectness and class logits that minimise the loss; boxes as in the prior, class targets with the IoU of the assignment."""
    import torch

    from detloss_cli.losses.constant_logit import bce_minimum

    fitted = []
    for index, bias in enumerate(prior(head, hyp, profile)):
        positives, cells, classes = 0.0, 0.0, torch.zeros(head.num_classes, dtype=torch.float64)
        for batch in batches:
            rows = (batch.assignment.level == index).cpu()
            share = 1 / max(len(batch.assignment), 1)
            positives += int(rows.sum()) * share
            cells += head.levels[index].slots * batch.targets.images * share
            chosen = batch.targets.cls[batch.assignment.gt].long().cpu()[rows]
            classes.index_add_(0, chosen, batch.assignment.extra["iou"].double().cpu()[rows] * share)
        bias[:, 4] = bce_minimum(torch.tensor(positives / max(cells, 1.0), dtype=torch.float64))
        if positives > 0:
            bias[:, 5:] = bce_minimum((classes / positives).clamp(max=1))
        fitted.append(bias)
    return tuple(fitted)


def perfect(head: Head, hyp: Hyp, profile: str, targets: Targets, assignment: Assignment) -> Predictions:
    """Each positive answers with its box, with objectness 1 and its class; all else says no, with a box too small to overlap any.

    Assigned by these answers the boxes keep their cells: one of IoU 1 counts 1 towards k, the others 0.
    """
    import torch

    from detloss_cli.predictions.synthetic import AnswerHead

    width, low = 5 + head.num_classes, math.log(CERTAIN / (1 - CERTAIN))
    bias = torch.full((1, width), low, dtype=torch.float64, device=targets.boxes.device)
    bias[:, :2], bias[:, 2:4] = 0, NO_SIZE
    answers, slots = [], []
    for index, level in enumerate(head.levels):
        rows, slot = _rows(assignment, index)
        gt, answer = assignment.gt[rows], bias.expand(len(rows), width).clone()
        cell, stride = _cells(slot, level.stride, answer)
        answer[:, :4] = encode_from_cell(targets.boxes[gt].to(answer), cell, stride, eps=1e-12)
        answer[:, 4] = -low
        answer[:, 5:] = answer[:, 5:].scatter(1, targets.cls[gt].long()[:, None], -low)
        answers.append(answer)
        slots.append(slot)
    return AnswerHead([bias] * len(head.levels), head.levels, targets.images, answers, slots)


def candidates(head: Head, targets: Targets, *, profile: str) -> Candidates:
    """Cells that boxes can take at all: the part of the assignment that needs no predictions."""
    from detloss_cli.targets.sim_ota import candidates as sim_ota_candidates

    return sim_ota_candidates(targets, head.levels, PROFILES[profile].rules)


def open_slots(head: Head, hyp: Hyp, targets: Targets, *, profile: str) -> tuple[Open, ...]:
    """Cells near the centre; a box without any can still be given one that other boxes bid for, at the cost of a penalty."""
    from detloss_cli.targets.near_centre import own_cells

    return (Open("cell near centre", own_cells(targets, head.levels, PROFILES[profile].rules)),)


def assign(head: Head, hyp: Hyp, targets: Targets, predictions: Predictions | None = None, *, profile: str) -> Assignment:
    """SimOTA by predicted class, objectness and overlap.

    Raises:
        DetlossError: no predictions.
    """
    from detloss_cli.targets.sim_ota import sim_ota

    if predictions is None:
        raise DetlossError("yolox assigns by prediction", where="--preds", hint="give a dump, or name a synthetic head with --head")
    return sim_ota(targets, head.levels, channels(head), predictions.at, PROFILES[profile].rules)


def loss(
    head: Head, hyp: Hyp, targets: Targets, predictions: Predictions, assignment: Assignment, *, profile: str, state: Any = None
) -> LossBreakdown:
    """reg_weight box + obj + cls + l1, each a sum over N = max(positives, 1) of all levels.

    box: 1 - IoU^2, or 1 - GIoU. obj: BCE of every cell. cls: BCE with the class's target at the IoU that the assignment saw. l1: of raw
    box channels. Without any positive N is 1 and obj an undivided sum.
    """
    import torch

    from detloss_cli.losses.bce import bce_with_logits
    from detloss_cli.losses.dense_sum import sum_by_image
    from detloss_cli.losses.term import LossBreakdown, Term

    normaliser = max(len(assignment), 1)
    gains = {gain.term: gain.used for gain in gain_ledger(hyp, head, profile)}
    form, terms = PROFILES[profile].form, []
    for index, level in enumerate(head.levels):
        rows, slot = _rows(assignment, index)
        logits = predictions.at(index, *slot)
        cell, stride = _cells(slot, level.stride, logits)
        boxes = targets.boxes[assignment.gt[rows]].to(logits.dtype)
        per_box = _box_loss(decode_from_cell(logits[:, :4], cell, stride), boxes, hyp.iou_loss, form)
        per_obj = bce_with_logits(logits[:, 4], torch.ones_like(logits[:, 4]))
        per_cls = bce_with_logits(logits[:, 5:], _class_targets(targets, assignment, rows, head.num_classes, logits)).sum(1)
        per_l1 = (logits[:, :4] - encode_from_cell(boxes, cell, stride)).abs().sum(1)
        obj = sum_by_image(predictions, index, slice(4, 5), bce_with_logits, slot, per_obj).sum()
        sums = {"box": (per_box.sum(), per_box), "obj": (obj, per_obj), "cls": (per_cls.sum(), per_cls), "l1": (per_l1.sum(), per_l1)}
        terms += [
            Term(name, index, total / normaliser, gains[name], len(rows), each, 1 / normaliser) for name, (total, each) in sums.items()
        ]
    ordered = sorted(terms, key=lambda term: TERMS.index(term.name))
    extra = {"normaliser": normaliser, "positives_per_box": normaliser / max(targets.boxes.shape[0], 1)}
    return LossBreakdown(tuple(ordered), extra=extra)


def reasons(head: Head, hyp: Hyp, targets: Targets, assignment: Assignment, *, profile: str) -> dict[int, Reason]:
    """No cell centre near the box, or its cheapest cells went to other boxes."""
    rules, of = PROFILES[profile].rules, {name: column.cpu() for name, column in assignment.of_targets.items()}
    near = f"{rules.radius:g} strides of its centre"
    found = {}
    for gt in without_rows(targets, assignment).tolist():
        own, wanted, cost, rival = int(of["own_cells"][gt]), int(of["wanted"][gt]), float(of["best_cost"][gt]), int(of["rival"][gt])
        if math.isinf(cost):
            found[gt] = Reason("no_candidate", f"no box of this image has a cell centre within {near}: yolox raises RuntimeError")
        elif own == 0:
            text = f"no cell centre within {near}; the cheapest other cell costs {cost:.4g} and went to box {rival}"
            found[gt] = Reason("no_centre_inside", text)
        else:
            text = f"{own} cells to choose from, k = {wanted}: cheaper for other boxes; the best costs {cost:.4g} and went to box {rival}"
            found[gt] = Reason("lost_to_another_box", text)
    return found


def _rows(assignment: Assignment, index: int) -> tuple[Tensor, Slots]:
    """Rows of a level, and their slots."""
    import torch

    rows = torch.nonzero(assignment.level == index).squeeze(1)
    return rows, (assignment.image[rows], assignment.anchor[rows], assignment.row[rows], assignment.col[rows])


def _cells(slot: Slots, stride: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """(P, 2) col and row, (P, 1) stride."""
    import torch

    cell = torch.stack((slot[3], slot[2]), 1).to(like.dtype)
    return cell, torch.full_like(cell[:, :1], stride)


def _class_targets(targets: Targets, assignment: Assignment, rows: Tensor, classes: int, like: Tensor) -> Tensor:
    """(P, C): the IoU that the assignment saw in the box's class, 0 elsewhere."""
    import torch

    chosen = targets.cls[assignment.gt[rows]].long()
    empty = torch.zeros((len(rows), classes), dtype=like.dtype, device=like.device)
    return empty.scatter(1, chosen[:, None], assignment.extra["iou"][rows, None].to(like.dtype))


def _box_loss(decoded: Tensor, boxes: Tensor, kind: Literal["iou", "giou"], form: IouForm) -> Tensor:
    """(P,) 1 - IoU^2, or 1 - GIoU."""
    overlap: Tensor = iou(decoded, boxes, kind=kind, form=form, frame="cxcywh")
    return 1 - overlap**2 if kind == "iou" else 1 - overlap.clamp(-1, 1)
