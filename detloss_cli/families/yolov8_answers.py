"""What a task-aligned head answers: the boxes of its rows, and the price of each cell without one."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from detloss_cli.families.yolov8_e2e import Branch
from detloss_cli.families.yolov8_terms import cell_centres, normaliser
from detloss_cli.geometry.box_code import decode_distances
from detloss_cli.inputs.head import Channels, Head
from detloss_cli.losses.dfl import side_distances
from detloss_cli.predictions.interface import Predictions
from detloss_cli.targets.assignment import Assignment


def answered_boxes(head: Head, channels: Channels, predictions: Predictions, assignment: Assignment, index: int, rows: Tensor) -> Tensor:
    """(P, 4) `xyxy` px. rows: (P,) int64, rows of the assignment, all of level `index`."""
    slot = tuple(column[rows] for column in (assignment.image, assignment.anchor, assignment.row, assignment.col))
    raw = predictions.at(index, *slot)[:, channels.box]
    stride = head.levels[index].stride
    boxes: Tensor = decode_distances(side_distances(raw, head.reg_max), cell_centres(slot[2], slot[3], raw.dtype) * stride, stride)
    return boxes


def empty_cells(
    head: Head,
    channels: Channels,
    branches: Sequence[Branch],
    predictions: Predictions,
    assignment: Assignment,
    index: int,
    class_weights: Sequence[float] | None,
) -> Tensor:
    """What each cell of a level without a row adds to the class term: (B, 1, H, W), BCE towards 0 of all classes over the normaliser."""
    branch = next(one for one in branches if one.first <= index < one.first + len(one.levels))
    own = (assignment.level >= branch.first) & (assignment.level < branch.first + len(branch.levels))
    logits = predictions.dense(index)[..., channels.cls]
    values = functional.softplus(logits, threshold=40.0)
    if class_weights is not None:
        values = values * torch.tensor(class_weights, dtype=values.dtype, device=values.device)
    cost = values.sum(-1) / normaliser(assignment.extra["score"][own]).to(values.dtype)
    here = assignment.level == index
    slot = tuple(column[here] for column in (assignment.image, assignment.anchor, assignment.row, assignment.col))
    return cost.index_put(slot, cost.new_zeros(()))
