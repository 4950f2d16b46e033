"""What each row adds on a head with anchors and objectness: overlap, objectness towards the overlap, one BCE a class.

yolov5, yolov7 and yolov3-spp are all like this; they differ in what is passed in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from detloss_cli.geometry.iou import IouForm, Kind, iou
from detloss_cli.inputs.head import Head, Level
from detloss_cli.losses.elementwise import Form
from detloss_cli.targets.anchor_ratio import anchors_in_cells, cell_boxes
from detloss_cli.targets.assignment import Assignment, Targets
from detloss_cli.targets.slots import last_of_each


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


def level_rows(head: Head, index: int, targets: Targets, mine: Assignment, answers: Answers, rules: GridRules) -> LevelRows:
    """What each row of one level adds to the terms.

    Args:
        targets: boxes `cxcywh` in 0..1. mine: the assignment's rows of this level. answers: what the head says at them.
    """
    wanted = cell_boxes(targets, mine, head.levels[index], slice(None)).to(answers.box.dtype)
    anchors = anchors_in_cells(head.levels[index], wanted)[answers.anchor]
    return rows_of(answers, anchors, wanted, targets.cls[mine.gt], rules)


def rows_of(answers: Answers, anchors: Tensor, wanted: Tensor, classes: Tensor, rules: GridRules) -> LevelRows:
    """What rows add to the terms, of one level or of all.

    Args:
        answers: what the head says at them. anchors: (U, 2) of each answer, cells. wanted: (P, 4) boxes in cells, the centre relative to
            the row's cell. classes: (P,) int64.
    """
    overlap = _overlaps(answers.box, anchors, answers.which, wanted, rules)
    reached = overlap.detach().clamp(min=0)
    if rules.gr != 1.0:
        reached = (1.0 - rules.gr) + rules.gr * reached
    obj_logit = _spread(answers.obj, answers.which)
    return LevelRows(
        per_box=1.0 - overlap,
        per_obj=rules.obj(obj_logit, reached),
        per_cls=_class_loss(answers, classes, rules),
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
    return _overlaps(box, anchors_in_cells(level, wanted)[anchor], which, wanted, rules)


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


def _overlaps(box: Tensor, anchors: Tensor, which: Tensor | None, wanted: Tensor, rules: GridRules) -> Tensor:
    overlap: Tensor = iou(_spread(rules.decode(box, anchors), which), wanted, kind=rules.kind, form=rules.form, frame="cxcywh")
    return overlap


def _spread(values: Tensor, which: Tensor | None) -> Tensor:
    return values if which is None else values[which]


def _class_loss(answers: Answers, classes: Tensor, rules: GridRules) -> Tensor:
    """(P,) mean over the classes of each row; zeros where there is a single class, whose term is not computed."""
    logits, count = answers.cls, answers.cls.shape[1]
    if count == 1:
        return _spread(logits[:, 0] * 0, answers.which_cls)
    chosen = torch.where(classes < 0, classes + count, classes).long()
    if answers.which_cls is None:
        own = logits.gather(1, chosen[:, None])
        every = rules.cls.everywhere(logits, rules.absent)
        return every.scatter_(1, chosen[:, None], rules.cls.everywhere(own, rules.present)).mean(dim=1)
    absent, present = (rules.cls.everywhere(logits, value) for value in (rules.absent, rules.present))
    table = (absent.sum(dim=1, keepdim=True) - absent + present) / count  # what a row adds whose class is the column
    return table[answers.which_cls, chosen]
