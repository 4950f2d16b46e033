"""The three terms of a head with anchors and objectness: overlap, objectness towards the overlap, one BCE a class.

yolov5, yolov7 and yolov3-spp all reduce like this; they differ in what is passed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from detloss_cli.geometry.iou import IouForm, Kind, iou
from detloss_cli.inputs.head import Channels, Head, Level
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
class Answers:
    """What a head says at the P rows of a level, each different answer once.

    box, obj: (U, 4) and (U,) logits. anchor: (U,) int64 of each. which: (P,) int64 into them, None where U = P and each row has its own.
    cls: (V, C) logits. which_cls: (P,) int64 into those, None likewise.
    """

    box: Tensor
    obj: Tensor
    anchor: Tensor
    which: Tensor | None
    cls: Tensor
    which_cls: Tensor | None


@dataclass(frozen=True, slots=True)
class LevelRows:
    """The rows of one level, nothing reduced. P rows.

    per_box, per_obj, per_cls: (P,) what each row adds, objectness whether it won its slot or not. overlap: (P,) with its sign.
    target: (P,) objectness target that each row wrote. obj_logit: (P,).
    """

    per_box: Tensor
    per_obj: Tensor
    per_cls: Tensor
    overlap: Tensor
    target: Tensor
    obj_logit: Tensor

    def first(self, count: int) -> LevelRows:
        """The first rows alone."""
        columns = (self.per_box, self.per_obj, self.per_cls, self.overlap, self.target, self.obj_logit)
        return LevelRows(*(column[:count] for column in columns))


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
    mine = assignment.chosen(torch.nonzero(assignment.level == index).squeeze(1))
    logits = predictions.at(index, *mine.slot)
    objectness = channels.obj or 0
    answers = Answers(logits[:, channels.box], logits[:, objectness], mine.anchor, None, logits[:, channels.cls], None)
    rows = level_rows(head, index, targets, mine, answers, rules)
    wins = winners(slot_keys(mine, head.levels, targets.images), rows.overlap, rules)
    plane = predictions.plane(index, objectness)
    return LevelTerms(
        box=mean_or_zero(rows.per_box),
        obj=mean_over_plane(plane, mine.anchor[wins], rows.obj_logit[wins], rows.per_obj[wins], rules.obj),
        cls=mean_or_zero(rows.per_cls),
        per_box=rows.per_box,
        per_obj=rows.per_obj * wins,
        per_cls=rows.per_cls,
        overlap=rows.overlap.detach(),
        wins=wins,
        target=rows.target,
        cells=predictions.images * head.levels[index].slots,
    )


def level_rows(head: Head, index: int, targets: Targets, mine: Assignment, answers: Answers, rules: GridRules) -> LevelRows:
    """What each row of one level adds to the terms.

    Args:
        targets: boxes `cxcywh` in 0..1. mine: the assignment's rows of this level. answers: what the head says at them.
    """
    overlap = row_overlaps(head.levels[index], targets, mine, answers.box, answers.anchor, answers.which, rules)
    reached = (1.0 - rules.gr) + rules.gr * overlap.detach().clamp(min=0)
    obj_logit = _spread(answers.obj, answers.which)
    return LevelRows(
        per_box=1.0 - overlap,
        per_obj=rules.obj(obj_logit, reached),
        per_cls=_class_loss(answers, targets.cls[mine.gt], rules),
        overlap=overlap,
        target=reached,
        obj_logit=obj_logit,
    )


def row_overlaps(
    level: Level, targets: Targets, mine: Assignment, box: Tensor, anchor: Tensor, which: Tensor | None, rules: GridRules
) -> Tensor:
    """(P,) overlap of each row's box with what the head says, with its sign.

    Args:
        mine: the assignment's rows of this level. box: (U, 4) logits. anchor: (U,) int64 of each. which: (P,) int64 into them, or None.
    """
    wanted = cell_boxes(targets, mine, level, slice(None)).to(box.dtype)
    decoded = _spread(rules.decode(box, anchors_in_cells(level, wanted)[anchor]), which)
    overlap: Tensor = iou(decoded, wanted, kind=rules.kind, form=rules.form, frame="cxcywh")
    return overlap


def winners(keys: Tensor, overlap: Tensor, rules: GridRules) -> Tensor:
    """(P,) bool: the row of each slot that its objectness target is read from.

    Args:
        keys: (P,) int64 slot of each row. overlap: (P,).
    """
    if not rules.sort_by_overlap:
        wins: Tensor = last_of_each(keys)
        return wins
    order = torch.argsort(overlap.detach(), stable=True)
    found = torch.zeros_like(keys, dtype=torch.bool)
    found[order] = last_of_each(keys[order])
    return found


def weighted(index: int, level: LevelTerms, box: float, obj: float, cls: float) -> tuple[Term, Term, Term]:
    """The three terms of a level with their gains."""
    count = level.overlap.shape[0]
    each = 1 / torch.ones_like(level.overlap, dtype=torch.float64).sum().clamp(min=1)  # no branch on how many there are
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


def _spread(values: Tensor, which: Tensor | None) -> Tensor:
    return values if which is None else values[which]


def _class_loss(answers: Answers, classes: Tensor, rules: GridRules) -> Tensor:
    """(P,) mean over the classes of each row; zeros where there is a single class, whose term is not computed."""
    logits, count = answers.cls, answers.cls.shape[1]
    if count == 1:
        return _spread(logits[:, 0] * 0, answers.which_cls)
    chosen = torch.where(classes < 0, classes + count, classes).long()
    if answers.which_cls is None:
        target = torch.full_like(logits, rules.absent).scatter(1, chosen[:, None], rules.present)
        return rules.cls(logits, target).mean(dim=1)
    absent, present = (rules.cls(logits, torch.full_like(logits, value)) for value in (rules.absent, rules.present))
    table = (absent.sum(dim=1, keepdim=True) - absent + present) / count  # what a row adds whose class is the column
    return table[answers.which_cls, chosen]
