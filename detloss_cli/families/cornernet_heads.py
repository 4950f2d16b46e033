"""What CornerNet wants at each map, and the heads that mark where its loss can lie: prior, base rate, perfect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from detloss_cli.families.heat_maps import PRIOR, answered_cells, heat_constants, sure_logit
from detloss_cli.families.interface import BatchTargets
from detloss_cli.inputs.head import Channels, Head
from detloss_cli.losses.l1_constant import l1_minimum
from detloss_cli.losses.masked_l1 import divisors
from detloss_cli.predictions.synthetic import AnswerHead
from detloss_cli.targets.annotations import index_in_image
from detloss_cli.targets.assignment import Assignment, Targets
from detloss_cli.targets.corners import Rules, corner_points, loaded_boxes
from detloss_cli.targets.heatmap import HeatMap, draw_heatmap


@dataclass(frozen=True, slots=True)
class Corners:
    """The corners of one map. P rows, in the order of the assignment.

    image, row, col, cls, radius: (P,) int64. x, y: (P,) int64 cell of the Gaussian, which may lie beyond the map; row and col never do.
    offset: (P, 2) corner within its cell.
    """

    image: Tensor
    row: Tensor
    col: Tensor
    x: Tensor
    y: Tensor
    cls: Tensor
    radius: Tensor
    offset: Tensor


@dataclass(frozen=True, slots=True)
class Wanted(Corners):
    """What one map is trained towards. heat: its heat map."""

    heat: HeatMap


def channels(head: Head) -> Channels:
    """Tag, offset, heat maps."""
    return Channels(slice(0, 3), None, slice(3, 3 + head.num_classes))


def corners(head: Head, index: int, rules: Rules, targets: Targets, assignment: Assignment) -> Corners:
    """The corners of one map, from the rows that it has."""
    rows = torch.nonzero(assignment.level == index).squeeze(1)
    image, row, col, gt = (column[rows] for column in (assignment.image, assignment.row, assignment.col, assignment.gt))
    x, y, offset = corner_points(loaded_boxes(targets.boxes, rules)[gt], head.levels[index], rules, index % 2)
    return Corners(image, row, col, x, y, targets.cls[gt].long(), assignment.extra["radius"][rows], offset)


def wanted(head: Head, index: int, rules: Rules, targets: Targets, assignment: Assignment) -> Wanted:
    """The targets of one map."""
    level = head.levels[index]
    found = corners(head, index, rules, targets, assignment)
    shape = (targets.images, head.num_classes, level.rows, level.cols)
    heat = draw_heatmap(found.image, found.cls, found.x, found.y, found.radius, shape)
    return Wanted(found.image, found.row, found.col, found.x, found.y, found.cls, found.radius, found.offset, heat)


def prior(head: Head) -> tuple[Tensor, ...]:
    """One (1, C) a map: heat maps -2.19, the rest 0."""
    bias = torch.zeros(1, channels(head).count, dtype=torch.float64)
    bias[:, channels(head).cls] = PRIOR
    return tuple(bias.clone() for _ in head.levels)


def base_rate(head: Head, rules: Rules, batches: Sequence[BatchTargets]) -> tuple[Tensor, ...]:
    """One (1, C) a map: heat and offset by search, tag 0."""
    cls = channels(head).cls
    fitted = []
    for index, bias in enumerate(prior(head)):
        found = [wanted(head, index, rules, batch.targets, batch.assignment) for batch in batches]
        if found:
            bias = bias.to(found[0].offset.device)
            bias[0, cls] = heat_constants([want.heat for want in found], bias[0, cls])
            counts = torch.tensor([len(want.cls) for want in found], device=bias.device)
            fit_offset(bias, torch.cat([want.offset for want in found]), counts)
        fitted.append(bias)
    return tuple(fitted)


def fit_offset(bias: Tensor, offset: Tensor, counts: Tensor) -> None:
    """Write the best constant offset into the logits of a map. bias: (1, C). offset: (P, 2) batch by batch. counts: (K,) of each batch."""
    weight = torch.repeat_interleave(1 / divisors(counts, "sl1"), counts)
    for column in (0, 1):
        bias[0, 1 + column] = l1_minimum(offset[:, column, None].to(bias.dtype), weight, "sl1")[0]


def perfect(head: Head, rules: Rules, targets: Targets, assignment: Assignment) -> AnswerHead:
    """Each corner's cell answers with the offset and the tag of its last box and is certain of its classes; all others say no.

    The tag is the box's number within its image: two boxes are at least 1 apart, which is where push ends.
    """
    layout = channels(head)
    biases, answers, slots = [], [], []
    for index in range(len(head.levels)):
        want = wanted(head, index, rules, targets, assignment)
        bias = torch.zeros(1, layout.count, dtype=torch.float64, device=want.offset.device)
        bias[:, layout.cls] = -sure_logit(bias)
        values = torch.cat((index_in_image(want.image)[:, None].to(want.offset.dtype), want.offset), 1)
        columns = torch.arange(3, device=want.cls.device).expand(len(want.cls), 3)
        answer, slot = answered_cells(want.heat, (want.image, want.row, want.col), bias, layout.cls, columns, values)
        biases.append(bias)
        answers.append(answer)
        slots.append(slot)
    return AnswerHead(biases, head.levels, targets.images, answers, slots)
