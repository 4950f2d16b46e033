"""The three terms of a head with anchors and objectness on a batch: the rows of all levels at once, and what each level makes of its own.

yolov5, yolov7 and yolov3-spp all reduce like this; they differ in what is passed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from detloss_cli.inputs.head import Channels, Head
from detloss_cli.losses.anchor_grid import Answers, GridRules, LevelRows, rows_of, winners
from detloss_cli.losses.reduce import mean_over_background, means_over_planes, wide
from detloss_cli.losses.term import Term
from detloss_cli.predictions.interface import Background, Predictions
from detloss_cli.targets.anchor_ratio import boxes_of_rows
from detloss_cli.targets.assignment import Assignment, Targets
from detloss_cli.targets.grids import grids_of
from detloss_cli.targets.slots import slot_keys


@dataclass(frozen=True, slots=True)
class LevelTerms:
    """One level before any gain. P rows.

    box, obj, cls: () reduced terms. per_box, per_obj, per_cls: (P,) what each row adds before division, for obj 0 if the row lost its
    slot. overlap: (P,) with its sign. wins: (P,) bool. target: (P,) objectness target that each row wrote. share: () float64, one over
    the number of rows. cells: B A H W.
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
    share: Tensor
    cells: int


def grid_terms(
    head: Head, channels: Channels, targets: Targets, predictions: Predictions, assignment: Assignment, rules: GridRules
) -> tuple[LevelTerms, ...]:
    """The terms of each level.

    box = mean(1 - overlap), obj = mean over all B A H W cells, cls = mean over P C; a level without rows gives 0 for box and cls.

    Args:
        targets: boxes `cxcywh` in 0..1. assignment: of all levels.

    Raises:
        RuntimeError: a class at or above the number of classes, where there is more than one. A negative one counts from the end, as it
            does upstream.
    """
    parts = _by_level(assignment, len(head.levels))
    level, image, anchor, row, col, gt = torch.cat(parts, dim=1).unbind()
    mine = Assignment(level, image, anchor, row, col, gt)
    logits = torch.cat([predictions.at(index, *part[1:5].unbind()) for index, part in enumerate(parts)])
    rows = _rows(head, channels, targets, mine, logits, rules)
    keys = slot_keys(mine, head.levels, predictions.images)
    wins = winners(keys, rows.overlap, rules)
    sizes = [part.shape[1] for part in parts]
    columns = (rows.per_box, rows.per_obj * wins, rows.per_cls, rows.overlap.detach(), wins, rows.target)
    per_row = zip(*(column.split_with_sizes(sizes) for column in columns), strict=True)
    obj = _objectness(head, channels.obj or 0, predictions, mine, keys, rows.per_obj, wins, rules)
    reduced = zip(*_means(rows, mine.level, len(sizes)), strict=True)
    found = []
    for one, of_obj, (box, cls, share), (a, b, c, overlap, won, target) in zip(head.levels, obj, reduced, per_row, strict=True):
        found.append(LevelTerms(box, of_obj, cls, a, b, c, overlap, won, target, share, predictions.images * one.slots))
    return tuple(found)


def weighted(index: int, level: LevelTerms, box: float, obj: float, cls: float) -> tuple[Term, Term, Term]:
    """The three terms of a level with their gains."""
    count = level.overlap.shape[0]
    return (
        Term("box", index, level.box, box, count, level.per_box, level.share),
        Term("obj", index, level.obj, obj, count, level.per_obj, 1 / level.cells),
        Term("cls", index, level.cls, cls, count, level.per_cls, level.share),
    )


def shown(levels: Sequence[LevelTerms]) -> dict[str, Tensor]:
    """What a breakdown shows of its rows beside the terms, (P,) each."""
    return {
        "overlap": torch.cat([level.overlap for level in levels]),
        "objectness_target": torch.cat([level.target for level in levels]),
        "wins": torch.cat([level.wins for level in levels]),
    }


def _by_level(assignment: Assignment, levels: int) -> list[Tensor]:
    """(6, P_level) each: level, image, anchor, row, col and gt of the rows of each level."""
    columns = torch.stack((assignment.level, *assignment.slot, assignment.gt))
    return [columns[:, torch.nonzero(assignment.level == index).squeeze(1)] for index in range(levels)]


def _rows(head: Head, channels: Channels, targets: Targets, mine: Assignment, logits: Tensor, rules: GridRules) -> LevelRows:
    """logits: (P, C) at the rows of all levels."""
    wanted = boxes_of_rows(targets, mine, head.levels).to(logits.dtype)
    anchors = grids_of(head.levels, wanted).anchors[mine.level, mine.anchor]
    answers = Answers(logits[:, channels.box], logits[:, channels.obj or 0], mine.anchor, None, logits[:, channels.cls], None)
    return rows_of(answers, anchors, wanted, targets.cls[mine.gt], rules)


def _means(rows: LevelRows, level: Tensor, levels: int) -> tuple[Sequence[Tensor], Sequence[Tensor], Sequence[Tensor]]:
    """box, cls and one over the number of rows, each () a level: written without a branch on how many rows there are."""
    apart = level != torch.arange(levels, device=level.device)[:, None]  # (L, P)
    values = torch.stack((rows.per_box, rows.per_cls))[:, None]
    count = (~apart).sum(dim=1).clamp(min=1)
    means = (values.masked_fill(apart, 0.0).sum(dim=2, dtype=wide(values.dtype)) / count).to(values.dtype)
    return means[0].unbind(), means[1].unbind(), (1 / count.double()).unbind()


def _objectness(
    head: Head, channel: int, predictions: Predictions, mine: Assignment, keys: Tensor, each: Tensor, wins: Tensor, rules: GridRules
) -> list[Tensor]:
    """() a level. keys: (P,) slots of the rows. each: (P,) the loss there. wins: (P,) bool, which of them stand."""
    planes = [predictions.plane(index, channel) for index in range(len(head.levels))]
    won = torch.nonzero(wins).squeeze(1)
    dense = [plane for plane in planes if not isinstance(plane, Background)]
    if len(dense) == len(planes):
        return means_over_planes(dense, keys[won], each[won], rules.obj)
    found = []
    for index, plane in enumerate(planes):
        if not isinstance(plane, Background):
            raise TypeError(f"expected planes of one kind, got {type(plane).__name__} on level {index}")
        here = won[mine.level[won] == index]
        found.append(mean_over_background(plane, mine.anchor[here], each[here], rules.obj))
    return found
