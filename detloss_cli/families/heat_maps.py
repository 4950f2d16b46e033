"""What the key-point families share: the heat-map term of one map, its best constants, and the answers that it wants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from detloss_cli.losses.constant_logit import minimum
from detloss_cli.losses.heatmap_focal import heatmap_focal, negative_focal, negative_weight, over_centres, positive_focal
from detloss_cli.predictions.certain import CERTAIN
from detloss_cli.predictions.interface import Background, Predictions
from detloss_cli.targets.heatmap import HeatMap, find_sorted
from detloss_cli.targets.slots import last_of_each

PRIOR = -2.19  # bias of the last convolution of a heat-map head


@dataclass(frozen=True, slots=True)
class HeatTerm:
    """raw: () loss of one map, divided. centres: n, cells with target 1. near: cells with a target between 0 and 1.
    near_weight: mean of (1 - Y)^4 over those, 1 without any. per_positive: (P,) positive part at the cell and class of each row.
    scale: (P,) share of that in raw: 1 / n for the last of those that share a centre, 0 for the others."""

    raw: Tensor
    centres: int
    near: int
    near_weight: float
    per_positive: Tensor
    scale: Tensor


def heat_term(
    predictions: Predictions, level: int, cls: slice, heat: HeatMap, rows: tuple[Tensor, Tensor, Tensor], of_class: Tensor, out: Tensor
) -> HeatTerm:
    """The heat-map term of one map, over all cells and classes.

    Args:
        cls: channels of the heat map. heat: its targets. rows: image, row, col, each (P,) int64, cells of the objects.
        of_class: (P,) int64, class of each. out: (P, C) what the head says at their cells.
    """
    per_positive = positive_focal(torch.gather(out[:, cls], 1, of_class[:, None])[:, 0])
    is_centre = heat.value == 1
    if isinstance(predictions.plane(level, cls.start), Background):
        total = _constant_total(predictions, level, cls, heat, rows)
    else:
        total = _dense_total(predictions, level, cls, heat, is_centre)
    centres = int(is_centre.sum())
    near = heat.value[~is_centre]
    near_weight = float(negative_weight(near).mean()) if near.shape[0] else 1.0
    scale = over_centres(_own_centre(heat, is_centre, rows, of_class).to(per_positive.dtype), centres)
    return HeatTerm(over_centres(total, centres), centres, int(near.shape[0]), near_weight, per_positive, scale)


def heat_constants(heats: Sequence[HeatMap], like: Tensor) -> Tensor:
    """The logit of each class that minimises the mean of the term over batches, (C,)."""
    pull, push = torch.zeros_like(like), torch.zeros_like(like)
    for heat in heats:
        centre = (heat.value == 1).to(like.dtype)
        share = 1 / centre.sum().clamp(min=1)
        pull += share * torch.zeros_like(like).index_add(0, heat.cls, centre)
        push += share * _negative_mass(heat, torch.ones_like(heat.value, dtype=torch.bool), 0, like)
    return heat_minimum(pull, push)


def heat_minimum(pull: Tensor, push: Tensor) -> Tensor:
    """The logit of each class that minimises its term, (C,).

    Args:
        pull, push: (C,) centres and negatives of each class, those of a batch divided by its n, summed over batches.
    """
    return minimum(lambda x: pull * positive_focal(x) + push * negative_focal(x), pull)


def answered_cells(
    heat: HeatMap, rows: tuple[Tensor, Tensor, Tensor], bias: Tensor, cls: slice, columns: Tensor, values: Tensor
) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor, Tensor]]:
    """What a map that knows the answers says at the cells of its objects: (S, C), and image, anchor, row, col of each.

    It is certain of each class whose centre a cell is, and certain that it is none of the others: a cell near a centre is a negative as
    well, if a light one, and the term wants 0 there, not the Gaussian. Of objects that share a cell the last one gives the values.

    Args:
        rows: image, row, col, each (P,) int64, cells of the objects. bias: (1, C) what the map says elsewhere.
        cls: channels of the heat map. columns, values: (P, K) channel and value of what else each object answers.
    """
    image, row, col = rows
    cells, slot = _distinct_cells(image, row, col, heat)
    own = (image * heat.shape[2] + row) * heat.shape[3] + col
    last = last_of_each(own)
    place, _ = find_sorted(cells, own[last])
    answer = bias.repeat(cells.shape[0], 1)
    sure = sure_logit(bias)
    answer[:, cls] = torch.where(heat.at_cells(cells) == 1, sure, -sure)
    answer[place[:, None], columns[last]] = values[last].to(bias.dtype)
    return answer, slot


def cell_losses(logits: Tensor | None, cls: slice, classes: int) -> tuple[Tensor, Tensor]:
    """(C,) loss of a cell whose target is 0, and of a centre.

    Args:
        logits: (1, C') of a map that says the same everywhere, None for one that knows the answers. cls: channels of the heat map.
    """
    if logits is not None:
        return negative_focal(logits[0, cls]), positive_focal(logits[0, cls])
    sure = sure_logit(torch.zeros(1, dtype=torch.float64)).expand(classes)
    return negative_focal(-sure), positive_focal(sure)


def sure_logit(like: Tensor) -> Tensor:
    """The logit of 1 - 1e-6, ()."""
    return torch.logit(like.new_tensor(1 - CERTAIN))


def _own_centre(heat: HeatMap, is_centre: Tensor, rows: tuple[Tensor, Tensor, Tensor], of_class: Tensor) -> Tensor:
    """(P,) bool: the row stands for a centre of its class that the map has, the last of those that share it."""
    _, classes, height, width = heat.shape

    def number(image: Tensor, cls: Tensor, row: Tensor, col: Tensor) -> Tensor:
        return ((image * classes + cls) * height + row) * width + col

    own = number(rows[0], of_class, *rows[1:])
    centres = number(heat.image, heat.cls, heat.row, heat.col)[is_centre]
    last: Tensor = last_of_each(own)
    return last & torch.isin(own, centres)


def _distinct_cells(image: Tensor, row: Tensor, col: Tensor, heat: HeatMap) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor, Tensor]]:
    """The cells of some rows, each once and ascending: their number on all maps, and image, anchor, row, col."""
    _, _, rows, cols = heat.shape
    cells = torch.unique((image * rows + row) * cols + col)
    plane = torch.div(cells, cols, rounding_mode="floor")
    return cells, (torch.div(plane, rows, rounding_mode="floor"), torch.zeros_like(cells), plane % rows, cells % cols)


def _dense_total(predictions: Predictions, level: int, cls: slice, heat: HeatMap, is_centre: Tensor) -> Tensor:
    logits = predictions.dense(level)[:, 0, :, :, cls].permute(0, 3, 1, 2)
    negatives = negative_weight(heat.dense().to(logits.dtype)) * negative_focal(logits)  # at a centre the weight is 0
    at = tuple(column[is_centre] for column in (heat.image, heat.cls, heat.row, heat.col))
    return negatives.sum() + positive_focal(logits[at]).sum()


def _constant_total(predictions: Predictions, level: int, cls: slice, heat: HeatMap, rows: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """The same for a head that says one thing everywhere but at the cells of the objects, without building its planes."""
    cells, slot = _distinct_cells(*rows, heat)
    logits = predictions.at(level, *slot)[:, cls]
    inside = heatmap_focal(logits, heat.at_cells(cells).to(logits.dtype)).sum()
    planes = [predictions.plane(level, channel) for channel in range(cls.start, cls.stop)]
    bias = torch.stack([plane.logit[0] for plane in planes if isinstance(plane, Background)])
    outside = ~torch.isin(heat.cells(), cells)
    mass = _negative_mass(heat, outside, int(cells.shape[0]), bias)
    return inside + (mass * negative_focal(bias)).sum()  # every centre is a cell of an object, so outside there are negatives only


def _negative_mass(heat: HeatMap, counted: Tensor, left_out: int, like: Tensor) -> Tensor:
    """Sum of (1 - Y)^4 over all cells but those left out, (C,): all cells less what the Gaussians take away."""
    images, _, rows, cols = heat.shape
    taken = torch.where(counted, 1 - negative_weight(heat.value.to(like.dtype)), torch.zeros_like(heat.value, dtype=like.dtype))
    cells = torch.full_like(like, images * rows * cols - left_out, dtype=torch.float64)
    return cells.index_add(0, heat.cls, -taken.double()).to(like.dtype)  # a hundred thousand cells one by one: in float32 off by 4e-6
