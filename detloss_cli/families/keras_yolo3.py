"""keras-yolo3: the best anchor of all levels, BCE centres, squared log sizes, confidence with ignored cells, class bits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from detloss_cli.errors import DetlossError
from detloss_cli.families.head_kind import ANCHORS
from detloss_cli.families.hyp import hyp_field
from detloss_cli.families.interface import BatchTargets, Gain, GainStep, Reason
from detloss_cli.inputs.head import Channels, Head
from detloss_cli.targets.annotations import index_in_image
from detloss_cli.targets.assignment import Array, Assignment, Frame, Targets
from detloss_cli.targets.best_anchor import AnchorMasks, assign_best_anchor, target_rows
from detloss_cli.targets.best_anchor_reasons import best_anchor_reasons, infinite_targets, refused_targets

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from detloss_cli.losses.summed_grid import LevelGeometry, LevelRows
    from detloss_cli.losses.summed_stack import SummedStack
    from detloss_cli.losses.term import LossBreakdown
    from detloss_cli.predictions.interface import Predictions

ID = "keras-yolo3"
TITLE = "keras-yolo3: best anchor, BCE centres, squared log sizes, ignored cells"
SOURCE = "qqwweee/keras-yolo3@e6598d1"
LICENCE = "MIT"
NEEDS_PREDICTIONS = False
FRAME: Frame = "xyxy_px"
IMGSZ = 416
MODEL = "keras-yolo3"
HEAD = ANCHORS
HYP = "keras-yolo3"
LOADER = "keras-yolo3"
TERMS = ("xy", "wh", "conf", "cls")
PROFILES: Mapping[str, str] = {"master": "e6598d1, the last commit"}

# indices into the anchors, fine to coarse; the tiny head shares anchor 3 and leaves out anchor 0
MASKS: Mapping[int, tuple[tuple[int, ...], ...]] = {3: ((0, 1, 2), (3, 4, 5), (6, 7, 8)), 2: ((1, 2, 3), (3, 4, 5))}


@dataclass(frozen=True, slots=True)
class Hyp:
    """What can be set: arguments of the training script and of its loss, there is no hyp file upstream."""

    ignore_thresh: float = hyp_field(0.5, None, None, "IoU with a true box from which a cell without a box is not penalised")
    max_boxes: float = hyp_field(20.0, None, None, "boxes an image that the loader keeps, after a shuffle")


def channels(head: Head) -> Channels:
    """x, y, w, h, objectness, then one a class."""
    return Channels(slice(0, 4), 4, slice(5, 5 + head.num_classes))


def gain_ledger(hyp: Hyp, head: Head, profile: str) -> tuple[Gain, ...]:
    """All gains are 1: each term is a sum over cells divided by the batch size, whatever the number of boxes."""
    boxes = (GainStep("(2 - w h) of each box, sum / batch", 1.0, "loss"),)
    every = (GainStep("1, sum / batch", 1.0, "loss"),)
    return tuple(Gain(term, "", 1.0, boxes if term in ("xy", "wh") else every) for term in TERMS)


def scaled(hyp: Hyp, head: Head, profile: str) -> Hyp:
    """The hyp itself: nothing is scaled."""
    return hyp


def plan(head: Head) -> AnchorMasks:
    """The anchors of all levels as one list, fine to coarse, and the three of them that each level takes.

    Raises:
        DetlossError: a head that is not two or three levels of three anchors.
    """
    order = sorted(range(len(head.levels)), key=lambda index: head.levels[index].stride)
    if len(order) not in MASKS or any(len(level.anchors) != 3 for level in head.levels):
        raise DetlossError(
            f"keras-yolo3 takes two or three levels of 3 anchors, {head.name} has {[len(level.anchors) for level in head.levels]}",
            where="--model",
            hint="keras-yolo3 or keras-yolo3-tiny",
        )
    masks = dict(zip(order, MASKS[len(order)], strict=True))
    anchors = tuple(anchor for index in order for anchor in head.levels[index].anchors)
    return AnchorMasks(head.levels, anchors, tuple(masks[index] for index in range(len(order))), head.imgsz, head.num_classes)


def level_anchors(head: Head) -> tuple[tuple[tuple[float, float], ...], ...]:
    """(w, h) in pixels of the anchors that each level really takes: not the head's own on the finer level of a tiny head."""
    masks = plan(head)
    return tuple(tuple(masks.anchors[index] for index in mask) for mask in masks.masks)


def beyond_most(hyp: Hyp, image: Array) -> Array:
    """Boxes after the first `max_boxes` of their image, in file order. Upstream shuffles first: it leaves out others in each epoch."""
    return index_in_image(image) >= int(hyp.max_boxes)


def prior(head: Head, hyp: Hyp, profile: str) -> tuple[Tensor, ...]:
    """All 0: the head has no special bias."""
    import torch

    return tuple(torch.zeros(len(level.anchors), channels(head).count, dtype=torch.float64) for level in head.levels)


def base_rate(head: Head, hyp: Hyp, profile: str, batches: Sequence[BatchTargets]) -> tuple[Tensor, ...]:
    """Constant logits that minimise each term, a level at a time; the confidence's given the cells that the constant boxes ignore."""
    import torch

    from detloss_cli.losses.summed_marks import constant_logits

    if not batches:
        return prior(head, hyp, profile)
    rows = [_rows(head, batch.targets, batch.assignment, torch.float64) for batch in batches]
    return constant_logits(_geometry(head, rows[0][0].truth), rows, [batch.targets.images for batch in batches], hyp.ignore_thresh)


def perfect(head: Head, hyp: Hyp, profile: str, targets: Targets, assignment: Assignment) -> Predictions:
    """The head that answers each slot with the box, the size and the class bits that stand there, and says no elsewhere."""
    import torch

    from detloss_cli.losses.summed_marks import answers
    from detloss_cli.predictions.synthetic import AnswerHead

    rows = _rows(head, targets, assignment, torch.float64)
    quiet, answer = zip(*(answers(g, here) for g, here in zip(_geometry(head, rows[0].truth), rows, strict=True)), strict=True)
    return AnswerHead(quiet, head.levels, targets.images, answer, [here.slot for here in rows])


def assign(head: Head, hyp: Hyp, targets: Targets, predictions: Predictions | None = None, *, profile: str) -> Assignment:
    """Each box to its best anchor of all levels, in the cell of its centre; a later box takes the slot of an earlier one."""
    return assign_best_anchor(targets, plan(head))


def loss(
    head: Head, hyp: Hyp, targets: Targets, predictions: Predictions, assignment: Assignment, *, profile: str, state: None = None
) -> LossBreakdown:
    """xy + wh + conf + cls over levels, each a sum over the batch divided by its size. A box without height makes it infinite."""
    from detloss_cli.losses.summed_grid import level_sums
    from detloss_cli.losses.term import LossBreakdown, Term

    terms, ignored = [], []
    nowhere = (column[:0] for column in (assignment.image, assignment.anchor, assignment.row, assignment.col))
    rows = _rows(head, targets, assignment, predictions.at(0, *nowhere).dtype)
    for index, (geometry, here) in enumerate(zip(_geometry(head, rows[0].truth), rows, strict=True)):
        planes = [_plane(predictions, index, channel) for channel in range(5)]
        sums = level_sums(geometry, here, predictions.at(index, *here.slot), planes, predictions.images, hyp.ignore_thresh)
        each = {"xy": sums.rows.xy, "wh": sums.rows.wh, "conf": sums.rows.conf, "cls": sums.rows.cls}
        for name, rows_of in each.items():
            whole = rows_of.sum() + sums.background if name == "conf" else rows_of.sum()
            terms.append(Term(name, index, whole / predictions.images, 1.0, len(rows_of), rows_of, 1 / predictions.images))
        ignored.append(sums.ignored)
    return LossBreakdown(tuple(terms), extra={"ignored": tuple(ignored)})


def stacked(head: Head, hyp: Hyp, profile: str) -> SummedStack:
    """The loss of many batches at once."""
    from detloss_cli.losses.summed_stack import SummedStack

    masks = plan(head)
    return SummedStack(
        head,
        prior(head, hyp, profile),
        lambda like: _geometry(head, like),
        lambda targets, assignment: target_rows(targets, assignment, masks),
        hyp.ignore_thresh,
    )


def reasons(head: Head, hyp: Hyp, targets: Targets, assignment: Assignment, *, profile: str) -> dict[int, Reason]:
    """For each box without a row: the width, the mask, the class, the edge or the later box that cost it its slot."""
    return {gt: Reason(*reason) for gt, reason in best_anchor_reasons(targets, assignment, plan(head)).items()}


def refused(head: Head, hyp: Hyp, targets: Targets, *, profile: str) -> dict[int, Reason]:
    """Boxes that upstream raises an error over; here each of them alone has no row."""
    return {gt: Reason(*reason) for gt, reason in refused_targets(targets, plan(head)).items()}


def infinite(head: Head, hyp: Hyp, targets: Targets, assignment: Assignment, *, profile: str) -> dict[int, Reason]:
    """Boxes whose row makes the loss infinite or NaN, as it is upstream."""
    return {gt: Reason(*reason) for gt, reason in infinite_targets(targets, assignment, plan(head)).items()}


def _rows(head: Head, targets: Targets, assignment: Assignment, dtype: torch.dtype) -> tuple[LevelRows, ...]:
    """What the positives of each level are held to: float32 rows, as upstream stores them, in the dtype of the logits."""
    from detloss_cli.losses.summed_grid import level_rows

    values = target_rows(targets, assignment, plan(head)).to(dtype)
    found = []
    for index, geometry in enumerate(_geometry(head, values)):
        chosen = assignment.level == index
        slot = (assignment.image[chosen], assignment.anchor[chosen], assignment.row[chosen], assignment.col[chosen])
        found.append(level_rows(geometry, slot, values[chosen]))
    return tuple(found)


def _geometry(head: Head, like: Tensor) -> tuple[LevelGeometry, ...]:
    """Each level with its anchors; the input size is the coarsest grid times its stride, as upstream's loss takes it."""
    from detloss_cli.losses.summed_grid import LevelGeometry

    coarsest = max(head.levels, key=lambda level: level.stride)
    input_wh = like.new_tensor([coarsest.cols * coarsest.stride, coarsest.rows * coarsest.stride])
    return tuple(
        LevelGeometry(level, like.new_tensor(anchors), input_wh) for level, anchors in zip(head.levels, level_anchors(head), strict=True)
    )


def _plane(predictions: Predictions, index: int, channel: int) -> Tensor:
    """One channel, (B, A, H, W), or (1, A, 1, 1) where it is constant."""
    from detloss_cli.predictions.interface import Background

    plane = predictions.plane(index, channel)
    return plane.logit[None, :, None, None] if isinstance(plane, Background) else plane
