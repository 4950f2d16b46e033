"""SimOTA: each box bids for the cells around its centre, by predicted class and overlap, and takes a dynamic number of them.

Source: arXiv 2107.08430, section 2.1; behaviour of Megvii-BaseDetection/YOLOX 0.1.0 to HEAD.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from detloss_cli.geometry.box_code import decode_from_cell
from detloss_cli.geometry.convert import cxcywh_to_xyxy
from detloss_cli.geometry.iou import iou
from detloss_cli.inputs.head import Channels, Level
from detloss_cli.targets.assignment import Assignment, Targets
from detloss_cli.targets.cells_between import cells_between
from detloss_cli.targets.dynamic_k import dynamic_k
from detloss_cli.targets.sim_ota_rules import SimOtaRules

Gather = Callable[[int, Tensor, Tensor, Tensor, Tensor], Tensor]  # level, image, anchor, row, col, each (P,), to logits (P, C)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Cells that some box of their image bids for, and whose own they are. K cells, R pairs of a box and a cell.

    image, level, row, col: (K,) int64, ordered by image, level, row, col. box, cell: (R,) int64, a target and one of the cells.
    """

    image: Tensor
    level: Tensor
    row: Tensor
    col: Tensor
    box: Tensor
    cell: Tensor


def candidates(targets: Targets, levels: Sequence[Level], rules: SimOtaRules) -> Candidates:
    """The part of SimOTA that needs no predictions.

    A cell is near a box if its centre (col + .5, row + .5) stride is less than radius x stride from the box's, in x and in y.

    Args:
        targets: boxes (N, 4) `cxcywh_px`.
    """
    starts, total = _starts(levels)
    near, inside = [], []
    for level, start in zip(levels, starts, strict=True):
        centre, reach = targets.boxes[:, :2], rules.radius * level.stride
        near.append(_pairs(centre - reach, centre + reach, level, start, total))
        if rules.in_box:
            corners = cxcywh_to_xyxy(targets.boxes)
            inside.append(_pairs(corners[:, :2], corners[:, 2:], level, start, total))
    own = torch.cat(near)
    bids = own
    if rules.in_box:
        within = torch.cat(inside)
        bids = torch.cat((own, within))
        own = own[torch.isin(own, within)]
    keys = torch.unique(_by_image(bids, targets, total))
    bounds = torch.tensor(starts, dtype=torch.int64, device=keys.device)
    level_of = torch.searchsorted(bounds, keys % total, right=True) - 1
    place = keys % total - bounds[level_of]
    cols = torch.tensor([level.cols for level in levels], dtype=torch.int64, device=keys.device)[level_of]
    cell = torch.searchsorted(keys, _by_image(own, targets, total))
    return Candidates(keys // total, level_of, place // cols, place % cols, own // total, cell)


@torch.no_grad()
def sim_ota(targets: Targets, levels: Sequence[Level], channels: Channels, at: Gather, rules: SimOtaRules) -> Assignment:
    """Each box takes its k cheapest candidates of its image, k from its ten best overlaps.

    cost = sum_c BCE(sqrt(sigmoid(cls) sigmoid(obj)), onehot) - 3 log(IoU + 1e-8) + penalty [not the box's own cell]

    Args:
        targets: boxes (N, 4) `cxcywh_px`. at: raw logits at slots, box channels as `decode_from_cell` takes them.

    Returns:
        Rows by image, level, row, col. extra: `iou`, `cost`, (P,). of_targets: `own_cells` and `wanted` (k) int64, `best_cost`, inf where
        the image has no candidate, and `rival`, the box that got this one's cheapest candidate, -1 for none; (N,) each.

    Differs: in an image where no box has a cell of its own YOLOX raises RuntimeError; here its boxes get nothing.
    """
    found = candidates(targets, levels, rules)
    logits = _gather(at, levels, found)
    device, count = targets.boxes.device, targets.boxes.shape[0]
    strides = torch.tensor([level.stride for level in levels], dtype=logits.dtype, device=device)[found.level]
    cell = torch.stack((found.col, found.row), 1).to(logits.dtype)
    decoded = decode_from_cell(logits[:, channels.box], cell, strides[:, None])
    score = torch.sqrt(torch.sigmoid(logits[:, channels.cls].float()) * torch.sigmoid(logits[:, channels.obj or 0, None].float()))

    absent = _cross_entropy(score, 0.0)

    gt = torch.full_like(found.image, -1)
    overlap_of, cost_of = torch.zeros_like(decoded[:, 0]), torch.zeros_like(decoded[:, 0])
    wanted = torch.zeros(count, dtype=torch.int64, device=device)
    best_cost, rival = torch.full((count,), torch.inf, dtype=decoded.dtype, device=device), torch.full_like(wanted, -1)
    for boxes, chosen, related in _by_images(targets, found):
        overlap = iou(targets.boxes[boxes, None], decoded[None, chosen], frame="cxcywh")
        cost = (
            _class_cost(score[chosen], absent[chosen], targets.cls[boxes])
            + rules.overlap_weight * -torch.log(overlap + 1e-8)
            + rules.penalty * ~related
        )
        match = dynamic_k(cost, overlap, top=rules.top)
        won, column = match.gt >= 0, torch.arange(match.gt.shape[0], device=device)
        gt[chosen] = torch.where(won, boxes[match.gt.clamp(min=0)], -1)
        overlap_of[chosen], cost_of[chosen] = overlap[match.gt, column], cost[match.gt, column].to(decoded.dtype)
        wanted[boxes] = match.wanted
        if column.shape[0]:
            best_cost[boxes], rival[boxes] = cost.min(1).values.to(decoded.dtype), gt[chosen][match.best]
    kept = torch.nonzero(gt >= 0).squeeze(1)
    own_cells = torch.bincount(found.box, minlength=count)
    return Assignment(
        level=found.level[kept],
        image=found.image[kept],
        anchor=torch.zeros_like(kept),
        row=found.row[kept],
        col=found.col[kept],
        gt=gt[kept],
        extra={"iou": overlap_of[kept], "cost": cost_of[kept]},
        of_targets={"own_cells": own_cells, "wanted": wanted, "best_cost": best_cost, "rival": rival},
    )


def _starts(levels: Sequence[Level]) -> tuple[list[int], int]:
    """Number of cells before each level, and of all."""
    sizes = [level.rows * level.cols for level in levels]
    return [sum(sizes[:i]) for i in range(len(sizes))], sum(sizes)


def _pairs(low: Tensor, high: Tensor, level: Level, start: int, total: int) -> Tensor:
    """One number for each pair of a box and a cell between its bounds: box x total + cell, (K,)."""
    box, row, col = cells_between(low, high, (level.rows, level.cols), (level.stride, level.stride), offset=0.5)
    pairs: Tensor = box * total + start + row * level.cols + col
    return pairs


def _by_image(pairs: Tensor, targets: Targets, total: int) -> Tensor:
    """The same with the box's image in the place of the box."""
    keys: Tensor = targets.image[pairs // total] * total + pairs % total
    return keys


def _gather(at: Gather, levels: Sequence[Level], found: Candidates) -> Tensor:
    """All channels of the candidates, (K, C)."""
    parts = []
    for index in range(len(levels)):
        rows = torch.nonzero(found.level == index).squeeze(1)
        parts.append((rows, at(index, found.image[rows], torch.zeros_like(rows), found.row[rows], found.col[rows])))
    logits = parts[0][1].new_empty((found.image.shape[0], parts[0][1].shape[1]))
    for rows, part in parts:
        logits[rows] = part
    return logits


def _by_images(targets: Targets, found: Candidates) -> Iterator[tuple[Tensor, slice, Tensor]]:
    """Of each image that has boxes: these, (G,), ascending; its candidates, K of them; where one is a box's own, (G, K) bool."""
    numbers = torch.arange(targets.images + 1, device=found.image.device)
    order = torch.argsort(targets.image, stable=True)
    first = torch.searchsorted(targets.image[order], numbers)
    within = torch.empty_like(order)
    within[order] = torch.arange(order.shape[0], device=order.device)
    of_pair = targets.image[found.box]
    pairs = torch.argsort(of_pair, stable=True)
    ends = torch.stack((first, torch.searchsorted(found.image, numbers), torch.searchsorted(of_pair[pairs], numbers))).T.tolist()
    box, cell = within[found.box[pairs]], found.cell[pairs]
    for (box_from, cell_from, pair_from), (box_to, cell_to, pair_to) in pairwise(ends):
        if box_from == box_to:
            continue
        related = torch.zeros((box_to - box_from, cell_to - cell_from), dtype=torch.bool, device=box.device)
        related[box[pair_from:pair_to] - box_from, cell[pair_from:pair_to] - cell_from] = True
        yield order[box_from:box_to], slice(cell_from, cell_to), related


def _class_cost(score: Tensor, absent: Tensor, classes: Tensor) -> Tensor:
    """(G, K) binary cross entropy of scores with each box's class, summed over classes; logarithms end at -100.

    Every element and the order of the sum are those of a (G, K, C) table, but only one plane a distinct class is made.

    Args:
        score: (K, C). absent: (K, C) its cross entropy with 0. classes: (G,).
    """
    distinct, which = torch.unique(classes.long(), return_inverse=True)
    wanted = score[:, distinct]
    planes = absent.repeat(distinct.shape[0], 1, 1)
    planes[torch.arange(distinct.shape[0], device=score.device), :, distinct] = _cross_entropy(wanted, 1.0).T
    return planes.sum(-1)[which]


def _cross_entropy(score: Tensor, target: float) -> Tensor:
    return functional.binary_cross_entropy(score, torch.full_like(score, target), reduction="none")
