"""What a head with anchors and objectness answers: the boxes of its rows, and the price of each cell without one."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from detloss_cli.geometry.convert import cxcywh_to_xyxy
from detloss_cli.inputs.head import Channels, Head
from detloss_cli.losses.elementwise import Form
from detloss_cli.predictions.interface import Predictions
from detloss_cli.targets.anchor_ratio import anchors_in_cells
from detloss_cli.targets.assignment import Assignment


def grid_boxes(
    head: Head,
    index: int,
    channels: Channels,
    predictions: Predictions,
    assignment: Assignment,
    rows: Tensor,
    decode: Callable[[Tensor, Tensor], Tensor],
) -> Tensor:
    """(P, 4) `xyxy` px of the network input: what the slots of some rows of a level decode to.

    Args:
        index: the level. rows: (P,) int64, rows of the assignment, all of this level. decode: as `GridRules` has it.
    """
    level = head.levels[index]
    slot = tuple(column[rows] for column in (assignment.image, assignment.anchor, assignment.row, assignment.col))
    raw = predictions.at(index, *slot)[:, channels.box]
    cells = decode(raw, anchors_in_cells(level, raw)[slot[1]])
    corner = torch.stack((slot[3], slot[2]), dim=1).to(cells.dtype)
    return cxcywh_to_xyxy(torch.cat((cells[:, :2] + corner, cells[:, 2:]), dim=1)) * level.stride  # type: ignore[no-any-return]


def grid_background(
    head: Head, index: int, channels: Channels, predictions: Predictions, assignment: Assignment, obj: Form
) -> tuple[str, Tensor]:
    """The objectness term's name, and what each cell of a level that no row has adds to it: (B, A, H, W), 0 at the rows."""
    plane = predictions.dense(index)[..., channels.obj or 0]
    cost = obj(plane, torch.zeros_like(plane)) / plane.numel()
    own = assignment.level == index
    slot = tuple(column[own] for column in (assignment.image, assignment.anchor, assignment.row, assignment.col))
    return "obj", cost.index_put(slot, cost.new_zeros(()))
