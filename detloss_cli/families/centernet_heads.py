"""What CenterNet wants at each map, and the heads that mark where its loss can lie: prior, base rate, perfect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from detloss_cli.errors import DetlossError
from detloss_cli.families.heat_maps import PRIOR, answered_cells, heat_constants, sure_logit
from detloss_cli.families.interface import BatchTargets
from detloss_cli.inputs.head import Channels, Head, Level
from detloss_cli.losses.l1_constant import l1_minimum
from detloss_cli.losses.masked_l1 import EPS, L1Kind, divisors
from detloss_cli.predictions.synthetic import AnswerHead
from detloss_cli.targets.assignment import Assignment, Targets
from detloss_cli.targets.centres import centres, clipped_boxes, sizes
from detloss_cli.targets.heatmap import HeatMap, draw_heatmap


@dataclass(frozen=True, slots=True)
class Regression:
    """How size and offset are compared. by_class: the head gives a width and height for each class, of which the box's own is used."""

    size: L1Kind
    offset: L1Kind
    by_class: bool

    def size_of(self, out: Tensor, cls: Tensor) -> Tensor:
        """Width and height of P rows of channels: (P, 2)."""
        if not self.by_class:
            return out[:, :2]
        return torch.gather(out, 1, torch.stack((2 * cls, 2 * cls + 1), 1))


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects of one map. P rows, in the order of the assignment.

    image, row, col, cls, radius: (P,) int64. size: (P, 2) width and height in cells. offset: (P, 2) centre within its cell.
    """

    image: Tensor
    row: Tensor
    col: Tensor
    cls: Tensor
    radius: Tensor
    size: Tensor
    offset: Tensor


@dataclass(frozen=True, slots=True)
class Wanted(Objects):
    """What one map is trained towards. heat: its heat map."""

    heat: HeatMap


def channels(num_classes: int, by_class: bool) -> Channels:
    """Sizes, offset, heat maps."""
    box = (2 * num_classes if by_class else 2) + 2
    return Channels(slice(0, box), None, slice(box, box + num_classes))


def regression(reg_loss: str, norm_wh: bool, cat_spec_wh: bool) -> Regression:
    """`norm_wh` goes before `cat_spec_wh`, and both before `reg_loss`, which then is the offset's alone.

    Raises:
        DetlossError: reg_loss is neither l1 nor sl1, or both switches are on, which the trainer cannot compute.
    """
    if reg_loss not in ("l1", "sl1"):
        raise DetlossError(f"unknown reg_loss {reg_loss!r}", where="hyp", hint="l1 or sl1")
    if norm_wh and cat_spec_wh:
        raise DetlossError("norm_wh and cat_spec_wh do not go together", where="hyp", hint="switch one of them off")
    offset: L1Kind = "sl1" if reg_loss == "sl1" else "l1"
    size: L1Kind = "norm" if norm_wh else "l1" if cat_spec_wh else offset
    return Regression(size, offset, cat_spec_wh)


def objects(level: Level, index: int, targets: Targets, assignment: Assignment) -> Objects:
    """The objects of map `index`, from the rows that it has."""
    rows = torch.nonzero(assignment.level == index).squeeze(1)
    image, row, col, gt = (column[rows] for column in (assignment.image, assignment.row, assignment.col, assignment.gt))
    boxes = clipped_boxes(targets.boxes, level)[gt]
    offset = centres(boxes) - torch.stack((col, row), 1).to(boxes.dtype)
    return Objects(image, row, col, targets.cls[gt].long(), assignment.extra["radius"][rows], sizes(boxes), offset)


def wanted(head: Head, index: int, targets: Targets, assignment: Assignment) -> Wanted:
    """The targets of one map, from the rows that it has."""
    level = head.levels[index]
    found = objects(level, index, targets, assignment)
    shape = (targets.images, head.num_classes, level.rows, level.cols)
    heat = draw_heatmap(found.image, found.cls, found.col, found.row, found.radius, shape)
    return Wanted(found.image, found.row, found.col, found.cls, found.radius, found.size, found.offset, heat)


def prior(head: Head, by_class: bool) -> tuple[Tensor, ...]:
    """One (1, C) a map: heat maps -2.19, the rest 0."""
    layout = channels(head.num_classes, by_class)
    bias = torch.zeros(1, layout.count, dtype=torch.float64)
    bias[:, layout.cls] = PRIOR
    return tuple(bias.clone() for _ in head.levels)


def base_rate(head: Head, how: Regression, batches: Sequence[BatchTargets]) -> tuple[Tensor, ...]:
    """One (1, C) a map: heat by search, size and offset by the median that their kind of L1 has; 0 where there is no object."""
    layout = channels(head.num_classes, how.by_class)
    fitted = []
    for index, bias in enumerate(prior(head, how.by_class)):
        found = [wanted(head, index, batch.targets, batch.assignment) for batch in batches]
        if not found:
            fitted.append(bias)
            continue
        bias = bias.to(found[0].size.device)
        bias[0, layout.cls] = heat_constants([want.heat for want in found], bias[0, layout.cls])
        counts = torch.tensor([len(want.cls) for want in found], device=bias.device)
        size, offset, cls = (torch.cat([getattr(want, name) for want in found]) for name in ("size", "offset", "cls"))
        fit_values(bias, how, layout, (size, offset, cls), counts)
        fitted.append(bias)
    return tuple(fitted)


def fit_values(bias: Tensor, how: Regression, layout: Channels, rows: tuple[Tensor, Tensor, Tensor], counts: Tensor) -> None:
    """Write the best constant size and offset into the logits of a map.

    Args:
        bias: (1, C). rows: size (P, 2), offset (P, 2) and class (P,) of all objects, batch by batch. counts: (K,) int64 of each batch.
    """
    size, offset, cls = rows
    weigh = {kind: torch.repeat_interleave(1 / divisors(counts, kind), counts) for kind in (how.size, how.offset)}
    first = layout.cls.start - 2
    for group in torch.unique(cls).tolist() if how.by_class else [None]:
        chosen = slice(None) if group is None else cls == group
        start = 0 if group is None else 2 * group
        _fit_pair(bias, start, size[chosen], weigh[how.size][chosen], how.size)
    _fit_pair(bias, first, offset, weigh[how.offset], how.offset)


def _fit_pair(bias: Tensor, start: int, target: Tensor, weight: Tensor, kind: L1Kind) -> None:
    for column in (0, 1):  # one after the other: of a whole data set the two together are a hundred megabytes
        value = target[:, column, None]
        bias[0, start + column] = l1_minimum(value if kind == "l1" else value.to(bias.dtype), weight, kind)[0]  # a median needs no digits


def perfect(head: Head, how: Regression, targets: Targets, assignment: Assignment) -> AnswerHead:
    """Each cell with an object answers with the size and offset of its last one and is certain of its classes; all others say no."""
    layout = channels(head.num_classes, how.by_class)
    biases, answers, slots = [], [], []
    for index in range(len(head.levels)):
        want = wanted(head, index, targets, assignment)
        bias = torch.zeros(1, layout.count, dtype=torch.float64, device=want.size.device)
        bias[:, layout.cls] = -sure_logit(bias)
        first = 2 * want.cls if how.by_class else torch.zeros_like(want.cls)
        columns = torch.stack((first, first + 1, *(torch.full_like(first, layout.cls.start - 2 + i) for i in (0, 1))), 1)
        values = torch.cat((want.size.to(bias.dtype) + (EPS if how.size == "norm" else 0.0), want.offset.to(bias.dtype)), 1)
        answer, slot = answered_cells(want.heat, (want.image, want.row, want.col), bias, layout.cls, columns, values)
        biases.append(bias)
        answers.append(answer)
        slots.append(slot)
    return AnswerHead(biases, head.levels, targets.images, answers, slots)
