"""DETR: Hungarian matching in every decoder layer, weighted cross entropy, L1 and GIoU."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from detloss_cli.errors import DetlossError
from detloss_cli.families.head_kind import QUERIES
from detloss_cli.families.hyp import hyp_field
from detloss_cli.families.interface import BatchTargets, Gain, Reason
from detloss_cli.geometry.iou import iou
from detloss_cli.inputs.head import Channels, Head
from detloss_cli.predictions.certain import CERTAIN
from detloss_cli.targets.assignment import Assignment, Frame, Targets, without_rows

if TYPE_CHECKING:
    from torch import Tensor

    from detloss_cli.losses.term import LossBreakdown, Term
    from detloss_cli.predictions.interface import Predictions

ID = "detr"
TITLE = "DETR: Hungarian matching, cross entropy, L1 and GIoU in every decoder layer"
SOURCE = "facebookresearch/detr@29901c5"
LICENCE = "Apache-2.0"
NEEDS_PREDICTIONS = True
FRAME: Frame = "cxcywh"
IMGSZ = 800
DIVISOR = 1  # the backbone pads
MODEL = "detr"
HEAD = QUERIES
HYP = "detr"
LOADER = "strict"
TERMS = ("cls", "l1", "giou")
PROFILES: Mapping[str, None] = {"head": None}
RAREST = 1e-13  # share of a class that never comes, so that its logit stays finite


@dataclass(frozen=True, slots=True)
class Hyp:
    """Options of its command line."""

    cost_class: float = hyp_field(1.0, None, None, "weight of the class probability in the matching cost")
    cost_bbox: float = hyp_field(5.0, None, None, "weight of the L1 distance in the matching cost")
    cost_giou: float = hyp_field(2.0, None, None, "weight of GIoU in the matching cost")
    loss_ce: float = hyp_field(1.0, None, None, "gain of the class term")
    loss_bbox: float = hyp_field(5.0, None, None, "gain of the L1 term")
    loss_giou: float = hyp_field(2.0, None, None, "gain of the GIoU term")
    eos_coef: float = hyp_field(0.1, None, None, "class weight of `no object`")


def channels(head: Head) -> Channels:
    """cx, cy, w, h after the sigmoid, one logit a class, and a last one for `no object`."""
    return Channels(slice(0, 4), None, slice(4, 5 + head.num_classes))


def gain_ledger(hyp: Hyp, head: Head, profile: str) -> tuple[Gain, ...]:
    """The same in every decoder layer."""
    return (
        Gain("cls", "loss_ce", hyp.loss_ce, ()),
        Gain("l1", "loss_bbox", hyp.loss_bbox, ()),
        Gain("giou", "loss_giou", hyp.loss_giou, ()),
    )


def scaled(hyp: Hyp, head: Head, profile: str) -> Hyp:
    """The hyp as it is: this trainer scales nothing."""
    return hyp


def prior(head: Head, hyp: Hyp, profile: str) -> tuple[Tensor, ...]:
    """All logits 0: every class equally likely, boxes 0.5 after the sigmoid."""
    import torch

    bias = torch.zeros(1, 5 + head.num_classes, dtype=torch.float64)
    bias[:, :4] = 0.5
    return tuple(bias.clone() for _ in head.levels)


def base_rate(head: Head, hyp: Hyp, profile: str, batches: Sequence[BatchTargets]) -> tuple[Tensor, ...]:
    """Class logits log(weighted share of each class), `no object` among them; boxes as in the prior."""
    import torch

    fitted = []
    for index, bias in enumerate(prior(head, hyp, profile)):
        share = torch.zeros(head.num_classes + 1, dtype=torch.float64)
        for batch in batches:
            rows = batch.assignment.level == index
            found = torch.bincount(batch.targets.cls[batch.assignment.gt[rows]].long().cpu(), minlength=head.num_classes + 1).double()
            found[-1] = hyp.eos_coef * (head.levels[index].slots * batch.targets.images - found.sum())
            share += found / found.sum()
        if batches:
            bias[:, 4:] = torch.log((share / share.sum()).clamp(min=RAREST))
        fitted.append(bias)
    return tuple(fitted)


def perfect(head: Head, hyp: Hyp, profile: str, targets: Targets, assignment: Assignment) -> Predictions:
    """Each matched query answers with its box and class, all others with `no object`."""
    import torch

    from detloss_cli.predictions.synthetic import AnswerHead

    rare = math.log(CERTAIN / head.num_classes)
    bias = torch.full((1, 5 + head.num_classes), rare, dtype=torch.float64, device=targets.boxes.device)
    bias[:, :4], bias[:, -1] = 0.5, math.log(1 - CERTAIN)
    answers, slots = [], []
    for index in range(len(head.levels)):
        rows = torch.nonzero(assignment.level == index).squeeze(1)
        gt = assignment.gt[rows]
        answer = bias.expand(len(rows), bias.shape[1]).clone()
        answer[:, :4], answer[:, -1] = targets.boxes[gt].to(answer), rare
        answer[:, 4:] = answer[:, 4:].scatter(1, targets.cls[gt].long()[:, None], math.log(1 - CERTAIN))
        answers.append(answer)
        slots.append((assignment.image[rows], assignment.anchor[rows], assignment.row[rows], assignment.col[rows]))
    return AnswerHead([bias] * len(head.levels), head.levels, targets.images, answers, slots)


def assign(head: Head, hyp: Hyp, targets: Targets, predictions: Predictions | None = None, *, profile: str) -> Assignment:
    """The cheapest pairs of queries and boxes, layer by layer, image by image.

    Raises:
        DetlossError: no predictions.
    """
    from detloss_cli.targets.hungarian import MatchCosts, match_queries

    if predictions is None:
        raise DetlossError("detr assigns by prediction", where="--preds", hint="give a dump, or name a synthetic head with --head")
    costs = MatchCosts(hyp.cost_class, hyp.cost_bbox, hyp.cost_giou)
    return match_queries(targets, [_queries(predictions, i) for i in range(len(head.levels))], channels(head), costs)


def loss(
    head: Head, hyp: Hyp, targets: Targets, predictions: Predictions, assignment: Assignment, *, profile: str, state: Any = None
) -> LossBreakdown:
    """cls + l1 + giou, summed over the decoder layers; the first level is the last layer, the others are the auxiliary ones.

    cls: cross entropy of every query, weighted by class and divided by the weights. l1, giou: sums over pairs / max(boxes of the batch, 1).
    """
    import torch

    from detloss_cli.losses.term import LossBreakdown, Term

    boxes_of_batch, class_error = max(targets.boxes.shape[0], 1), 100.0
    terms: list[Term] = []
    cardinality: list[float] = []
    gains = {gain.term: gain.used for gain in gain_ledger(hyp, head, profile)}
    lengths = torch.bincount(targets.image.long(), minlength=targets.images)
    for index in range(len(head.levels)):
        queries, rows = _queries(predictions, index), torch.nonzero(assignment.level == index).squeeze(1)
        slot, gt = (assignment.image[rows], assignment.col[rows]), assignment.gt[rows]
        nll, weight = _cross_entropy(queries[..., 4:], slot, targets.cls[gt].long(), hyp.eos_coef)
        given, wanted = queries[..., :4][slot], targets.boxes[gt].to(queries.dtype)
        distance = (given - wanted).abs().sum(1)
        apart = 1 - iou(given, wanted, kind="giou", frame="cxcywh")
        sums = {
            "cls": ((weight * nll).sum(), nll[slot], weight.sum()),
            "l1": (distance.sum(), distance, boxes_of_batch),
            "giou": (apart.sum(), apart, boxes_of_batch),
        }
        terms += [Term(name, index, whole / by, gains[name], len(rows), each, 1 / by) for name, (whole, each, by) in sums.items()]
        answers = queries[..., 4:].detach().argmax(-1)
        cardinality.append(float(((answers != head.num_classes).sum(1) - lengths).abs().double().mean()))
        if index == 0:
            right = (answers[slot] == targets.cls[gt]).double()
            class_error = 100 - 100 * float(right.sum()) / max(len(rows), 1)
    ordered = sorted(terms, key=lambda term: TERMS.index(term.name))
    return LossBreakdown(tuple(ordered), extra={"class_error": class_error, "cardinality_error": cardinality})


def reasons(head: Head, hyp: Hyp, targets: Targets, assignment: Assignment, *, profile: str) -> dict[int, Reason]:
    """More boxes than queries: others had the lower sum of costs."""
    queries, found = head.levels[0].slots, {}
    for gt in without_rows(targets, assignment).tolist():
        cost, rival = float(assignment.of_targets["best_cost"][gt]), int(assignment.of_targets["rival"][gt])
        boxes = int((targets.image == targets.image[gt]).sum())
        text = f"{boxes} boxes for {queries} queries: outranked for every one; its best costs {cost:.3g} and went to box {rival}"
        found[gt] = Reason("outranked_for_every_query", text)
    return found


def _queries(predictions: Predictions, level: int) -> Tensor:
    """(B, Q, C) of a layer, whose level is a single row of queries."""
    return predictions.dense(level).flatten(1, 3)


def _cross_entropy(logits: Tensor, slot: tuple[Tensor, Tensor], classes: Tensor, no_object: float) -> tuple[Tensor, Tensor]:
    """Negative log likelihood and weight of every query, (B, Q) each: its box's class with weight 1, else `no object` with its own.

    Args:
        logits: (B, Q, classes + 1). slot: image and query of the matched, (P,) each. classes: (P,).
    """
    import torch

    last = logits.shape[-1] - 1
    wanted = torch.full(logits.shape[:2], last, dtype=torch.int64, device=logits.device).index_put(slot, classes)
    weight = torch.full_like(logits[..., 0], no_object).index_put(slot, torch.ones_like(logits[slot][:, 0]))
    return -logits.log_softmax(-1).gather(-1, wanted[..., None]).squeeze(-1), weight
