"""The three terms of one branch of a task-aligned head, and what its assigner asks of the predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from detloss_cli.families.yolov8_e2e import Branch
from detloss_cli.geometry.box_code import decode_distances, encode_distances
from detloss_cli.geometry.iou import YOLOV5_5, iou
from detloss_cli.inputs.head import Channels, Head, Level
from detloss_cli.losses.bce import bce_with_logits, sum_of_nothing
from detloss_cli.losses.dfl import distribution_loss, side_distances, side_l1
from detloss_cli.predictions.interface import Background, Predictions
from detloss_cli.targets.assignment import Assignment, Targets
from detloss_cli.targets.centre_inside import BoxRules, corners_px
from detloss_cli.targets.task_aligned import Predict


@dataclass(frozen=True, slots=True)
class LevelTerms:
    """One level of a branch before any gain, box, cls and dfl each () and divided by the branch's normaliser. P rows.

    per_box, per_cls, per_dfl: (P,) what each row adds before that division. scale: () one over the normaliser.
    """

    box: Tensor
    cls: Tensor
    dfl: Tensor
    per_box: Tensor
    per_cls: Tensor
    per_dfl: Tensor
    scale: Tensor


def predictor(head: Head, channels: Channels, branch: Branch, predictions: Predictions) -> Predict:
    """What the assigner asks: corners in px at some cells of a level of the branch, and one class logit for each pair."""

    def predict(index: int, image: Tensor, row: Tensor, col: Tensor, which: Tensor, cls: Tensor) -> tuple[Tensor, Tensor]:
        number, anchor = branch.first + index, torch.zeros_like(row)
        if isinstance(predictions.plane(number, channels.cls.start), Background):
            found = predictions.at(number, image, anchor, row, col)
            raw, logit = found[:, channels.box], found[:, channels.cls][which, cls]
        else:  # a real tensor: gathering every class of every cell would take as long as the rest
            dense = predictions.dense(number)
            raw = dense[..., channels.box][image, anchor, row, col]
            logit = dense[..., channels.cls][image[which], anchor[which], row[which], col[which], cls]
        stride = branch.levels[index].stride
        return decode_distances(side_distances(raw, head.reg_max), cell_centres(row, col, raw.dtype) * stride, stride), logit

    return predict


def cell_centres(row: Tensor, col: Tensor, dtype: torch.dtype) -> Tensor:
    """(P, 2) centres of cells, x and y, cells."""
    return torch.stack((col, row), dim=1).to(dtype) + 0.5


def wanted_sides(targets: Targets, assignment: Assignment, level: Level, rows: Tensor, corners: Tensor) -> Tensor:
    """(P, 4) distances from the centre of each row's cell to the sides of its box: left, top, right, bottom, cells.

    Args:
        rows: (P,) rows of the assignment, all of this level. corners: (N, 4) boxes `xyxy` px.
    """
    boxes = corners[assignment.gt[rows]] / level.stride
    sides: Tensor = encode_distances(boxes, cell_centres(assignment.row[rows], assignment.col[rows], corners.dtype), 1)
    return sides


def class_target(targets: Targets, assignment: Assignment) -> Tensor:
    """(P,) the class that each row is trained towards: a negative one becomes 0."""
    classes: Tensor = targets.cls[assignment.gt].long().clamp(min=0)
    return classes


def normaliser(score: Tensor) -> Tensor:
    """max(sum of the class targets, 1), ()."""
    return score.sum().clamp(min=1)


def branch_terms(
    head: Head,
    channels: Channels,
    branch: Branch,
    targets: Targets,
    predictions: Predictions,
    assignment: Assignment,
    *,
    boxes: BoxRules,
    l1: bool,
    class_weights: Sequence[float] | None,
) -> list[LevelTerms]:
    """box, cls and dfl of each level of a branch.

    S = max(sum of scores, 1); box = sum w (1 - CIoU) / S; dfl = sum w DFL / S; cls = sum over all cells and classes BCE / S, where the
    score w of a row is its class target as well.

    Args:
        assignment: rows of all branches, `extra` with the `score` of each. boxes: how they are taken.
        l1: distances without a distribution cost their L1, else nothing. class_weights: (C,) factors of the class term, None for 1.
    """
    own = (assignment.level >= branch.first) & (assignment.level < branch.first + len(branch.levels))
    score = assignment.extra["score"]
    total = normaliser(score[own])
    corners = corners_px(targets, branch.levels, boxes)
    chosen_class = class_target(targets, assignment)
    found = []
    for index, level in enumerate(branch.levels, branch.first):
        rows = torch.nonzero(assignment.level == index).squeeze(1)
        slot = tuple(column[rows] for column in (assignment.image, assignment.anchor, assignment.row, assignment.col))
        logits = predictions.at(index, *slot)
        weight = score[rows].to(logits.dtype)
        centre = cell_centres(slot[2], slot[3], logits.dtype)
        raw = logits[:, channels.box]
        sides = side_distances(raw, head.reg_max)
        wanted = corners[assignment.gt[rows]].to(logits.dtype) / level.stride
        overlap = iou(decode_distances(sides, centre, 1), wanted, kind="ciou", form=YOLOV5_5)
        per_box = (1.0 - overlap) * weight
        per_dfl = _distance_loss(head, level, raw, sides, encode_distances(wanted, centre, 1), l1) * weight
        factors = None if class_weights is None else torch.tensor(class_weights, dtype=logits.dtype, device=logits.device)
        chosen = chosen_class[rows]
        per_cls = _row_class_loss(logits[:, channels.cls], chosen, weight, factors)
        cls = _class_loss(predictions, index, level, channels, logits[:, channels.cls], chosen, weight, per_cls, factors)
        scale = total.to(logits.dtype)
        found.append(LevelTerms(per_box.sum() / scale, cls / scale, per_dfl.sum() / scale, per_box, per_cls, per_dfl, 1 / scale))
    return found


def _distance_loss(head: Head, level: Level, raw: Tensor, sides: Tensor, wanted: Tensor, l1: bool) -> Tensor:
    if head.reg_max > 1:
        return distribution_loss(raw, wanted, head.reg_max)
    if l1:
        return side_l1(sides, wanted, level.stride, (level.rows * level.stride, level.cols * level.stride))
    return sides.sum(-1) * 0


def _row_class_loss(logits: Tensor, chosen: Tensor, weight: Tensor, factors: Tensor | None) -> Tensor:
    """(P,) sum over the classes of each row."""
    target = torch.zeros_like(logits).scatter(1, chosen[:, None], weight[:, None])
    values = bce_with_logits(logits, target)
    return (values if factors is None else values * factors).sum(1)


def _class_loss(
    predictions: Predictions,
    index: int,
    level: Level,
    channels: Channels,
    logits: Tensor,
    chosen: Tensor,
    weight: Tensor,
    per_row: Tensor,
    factors: Tensor | None,
) -> Tensor:
    """Sum over all cells and classes of a level, (). BCE(x, y) = BCE(x, 0) - x y, and y is 0 but in the rows: no dense target.

    Real outputs go through torch's own float32 formula, as in the trainer; constant ones through the one that does not cancel.
    """
    first = predictions.plane(index, channels.cls.start)
    if isinstance(first, Background):
        planes = (predictions.plane(index, channel) for channel in range(channels.cls.start, channels.cls.stop))
        quiet = torch.cat([plane.logit for plane in planes if isinstance(plane, Background)])
        empty = predictions.images * level.rows * level.cols - logits.shape[0]
        values = functional.softplus(quiet, threshold=40.0) * empty  # one rounding for all cells would not average out
        return (values if factors is None else values * factors).sum() + per_row.sum()
    dense = predictions.dense(index)[..., channels.cls]
    answered = logits.gather(1, chosen[:, None]).squeeze(1) * weight
    return sum_of_nothing(dense, factors) - (answered if factors is None else answered * factors[chosen]).sum()
