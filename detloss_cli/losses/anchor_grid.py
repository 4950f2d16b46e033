"""The three terms of a head with anchors and objectness: overlap, objectness towards the overlap, one BCE a class.

yolov5, yolov7 and yolov3-spp all reduce like this; they differ in what is passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from detloss_cli.geometry.iou import IouForm, Kind, iou
from detloss_cli.inputs.head import Channels, Head
from detloss_cli.losses.elementwise import Form
from detloss_cli.losses.reduce import mean_or_zero, mean_over_plane
from detloss_cli.losses.term import Term
from detloss_cli.predictions.interface import Predictions
from detloss_cli.targets.anchor_ratio import anchors_in_cells, cell_boxes
from detloss_cli.targets.assignment import Assignment, Targets
from detloss_cli.targets.slots import last_of_each, slot_keys


@dataclass(frozen=True, slots=True)
class GridRules:
    """What a family puts in.

    decode: (P, 4) logits and (P, 2) anchors to boxes in cells. kind, form: of the overlap. gr: share of the overlap in the objectness
    target. sort_by_overlap: rows with the larger overlap win a slot, instead of the last. present, absent: class targets.
    obj, cls: elementwise losses.
    """

    decode: Callable[[Tensor, Tensor], Tensor]
    kind: Kind
    form: IouForm
    obj: Form
    cls: Form
    gr: float = 1.0
    sort_by_overlap: bool = False
    present: float = 1.0
    absent: float = 0.0


@dataclass(frozen=True, slots=True)
class LevelTerms:
    """One level before any gain. P rows.

    box, obj, cls: () reduced terms. per_box, per_obj, per_cls: (P,) what each row adds before division, for obj 0 if the row lost its
    slot. overlap: (P,) with its sign. wins: (P,) bool. target: (P,) objectness target that each row wrote. cells: B A H W.
    """

    box: Tensor
    obj: Tensor
    cls: Tensor
    per_box: Tensor
    per_obj: Tensor
    per_cls: Tensor
    overlap: Tensor
    wins: Tensor
    target: Tensor
    cells: int


def level_terms(
    head: Head, index: int, channels: Channels, targets: Targets, predictions: Predictions, assignment: Assignment, rules: GridRules
) -> LevelTerms:
    """The terms of one level.

    box = mean(1 - overlap), obj = mean over all B A H W cells, cls = mean over P C; a level without rows gives 0 for box and cls.

    Args:
        index: the level. targets: boxes `cxcywh` in 0..1. assignment: of all levels.

    Raises:
        RuntimeError: a class at or above the number of classes, where there is more than one. A negative one counts from the end, as it
            does upstream.
    """
    level = head.levels[index]
    rows = torch.nonzero(assignment.level == index).squeeze(1)
    slot = tuple(column[rows] for column in (assignment.image, assignment.anchor, assignment.row, assignment.col))
    logits = predictions.at(index, *slot)
    wanted = cell_boxes(targets, assignment, level, rows).to(logits.dtype)
    decoded = rules.decode(logits[:, channels.box], anchors_in_cells(level, wanted)[slot[1]])
    overlap = iou(decoded, wanted, kind=rules.kind, form=rules.form, frame="cxcywh")

    reached = (1.0 - rules.gr) + rules.gr * overlap.detach().clamp(min=0)
    wins = _winners(head, assignment, rows, predictions.images, overlap.detach() if rules.sort_by_overlap else None)
    winner = tuple(column[wins] for column in slot)
    obj_logit = logits[:, channels.obj or 0]
    obj = mean_over_plane(predictions.plane(index, channels.obj or 0), winner, obj_logit[wins], reached[wins], rules.obj)

    per_cls = _class_loss(logits[:, channels.cls], targets.cls[assignment.gt[rows]], rules)
    return LevelTerms(
        box=mean_or_zero(1.0 - overlap),
        obj=obj,
        cls=mean_or_zero(per_cls),
        per_box=1.0 - overlap,
        per_obj=rules.obj(obj_logit, reached) * wins,
        per_cls=per_cls,
        overlap=overlap.detach(),
        wins=wins,
        target=reached,
        cells=predictions.images * level.slots,
    )


def weighted(index: int, level: LevelTerms, box: float, obj: float, cls: float) -> tuple[Term, Term, Term]:
    """The three terms of a level with their gains."""
    count = level.overlap.shape[0]
    each = 1 / max(count, 1)
    return (
        Term("box", index, level.box, box, count, level.per_box, each),
        Term("obj", index, level.obj, obj, count, level.per_obj, 1 / level.cells),
        Term("cls", index, level.cls, cls, count, level.per_cls, each),
    )


def shown(levels: Sequence[LevelTerms]) -> dict[str, Tensor]:
    """What a breakdown shows of its rows beside the terms, (P,) each."""
    return {
        "overlap": torch.cat([level.overlap for level in levels]),
        "objectness_target": torch.cat([level.target for level in levels]),
        "wins": torch.cat([level.wins for level in levels]),
    }


def _winners(head: Head, assignment: Assignment, rows: Tensor, images: int, overlap: Tensor | None) -> Tensor:
    keys: Tensor = slot_keys(assignment, head.levels, images)[rows]
    order = torch.arange(rows.shape[0], device=rows.device) if overlap is None else torch.argsort(overlap, stable=True)
    wins: Tensor = last_of_each(keys[order])[torch.argsort(order)]
    return wins


def _class_loss(logits: Tensor, classes: Tensor, rules: GridRules) -> Tensor:
    """(P,) mean over the classes of each row; zeros where there is a single class, whose term is not computed."""
    count = logits.shape[1]
    if count == 1:
        return logits[:, 0] * 0
    chosen = torch.where(classes < 0, classes + count, classes).long()
    target = torch.full_like(logits, rules.absent).scatter(1, chosen[:, None], rules.present)
    return rules.cls(logits, target).mean(dim=1)
