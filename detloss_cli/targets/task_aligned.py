"""Task-aligned assignment: each box takes the cells inside it where predicted class and overlap agree best.

Source: arXiv 2108.07755, section 3.2; behaviour of TaskAlignedAssigner in ultralytics 8.1.0 to 8.4.190.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from detloss_cli.errors import DetlossError
from detloss_cli.geometry.iou import YOLOV5_5, iou
from detloss_cli.inputs.head import Level
from detloss_cli.targets.assignment import Assignment, Targets
from detloss_cli.targets.centre_inside import PLAIN, BoxRules, candidate_cells, corners_px

# What the head says: of a level, at the cells image, row, col (U,), the corners (U, 4) px; and at the cell `which` (K,) the logit of the
# class `cls` (K,), so that the other classes need not be read.
Predict = Callable[[int, Tensor, Tensor, Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]
EPS = 1e-9
ROWS_AT_ONCE = 256  # boxes whose metric is laid out over all cells at a time: bounds memory on crowded images


@dataclass(frozen=True, slots=True)
class TaskAlignedRules:
    """topk: cells a box may take. kept: how many it keeps after disputes. alpha, beta: of the metric. boxes: how they are taken."""

    topk: int = 10
    kept: int = 10
    alpha: float = 0.5
    beta: float = 6.0
    boxes: BoxRules = PLAIN


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pairs of a box and a cell inside it, K of them, at U distinct slots.

    gt: (K,). cell: (K,) in an image, levels in turn. slot: (K,) number of the slot, 0..U-1. overlap, metric: (K,).
    """

    gt: Tensor
    cell: Tensor
    slot: Tensor
    overlap: Tensor
    metric: Tensor


@torch.no_grad()
def task_aligned(targets: Targets, levels: Sequence[Level], predict: Predict, rules: TaskAlignedRules) -> Assignment:
    """The best cells of each box by metric = p_class^alpha CIoU^beta; a cell that several boxes take goes to the one that overlaps most.

    A cell in dispute goes to the box of its image with the largest overlap there, the first of equals, even if that box did not take it.

    Args:
        targets: boxes (N, 4) `cxcywh` in 0..1; a class below 0 counts from the end. levels: fine to coarse. predict: what the head says.

    Returns:
        Rows by image, level, row, col. extra: `score`, the class target, metric scaled so that the best row of a box gets the largest
        overlap among its rows; `metric`, `overlap`; (P,) each. of_targets: `cells` inside, `picked` before disputes, `best_metric`,
        `best_overlap`, `rival`, the box that took the best of the cells it lost, -1 if none, `rival_overlap`; (N,) each.

    Raises:
        DetlossError: the head has fewer cells than topk. IndexError: a class that the head does not have.
    """
    cells = sum(level.rows * level.cols for level in levels)
    if targets.boxes.shape[0] and cells < max(rules.topk, rules.kept):
        message = f"the head has {cells} cells, fewer than the {rules.topk} that task alignment takes a box: the trainer stops here"
        raise DetlossError(message, where="--imgsz", hint="choose a larger input size")
    pairs, places = _pairs(targets, levels, predict, rules, cells)
    picked = _best(pairs, rules.topk, cells)
    owner = _settle(pairs, picked, targets, places // cells)
    slot = torch.nonzero(owner >= 0).squeeze(1)
    slot = slot[torch.argsort(places[slot])]
    gt, metric, overlap = owner[slot], *_at_owner(pairs, owner, slot)
    evidence = _evidence(pairs, picked, owner, targets.boxes.shape[0])
    if rules.kept != rules.topk:
        kept = _best(_Pairs(gt, places[slot] % cells, slot, overlap, metric), rules.kept, cells)
        slot, gt, metric, overlap = slot[kept], gt[kept], metric[kept], overlap[kept]
    place = places[slot]
    level, row, col = _place(place % cells, levels)
    score = metric * _most(overlap, gt, targets)[gt] / (_most(metric, gt, targets)[gt] + EPS)
    extra = {"score": score, "metric": metric, "overlap": overlap}
    return Assignment(level, place // cells, torch.zeros_like(slot), row, col, gt, extra, evidence)


def _pairs(targets: Targets, levels: Sequence[Level], predict: Predict, rules: TaskAlignedRules, cells: int) -> tuple[_Pairs, Tensor]:
    """Every pair of a box and a cell inside it, with what the head says there, and where the slots are: (U,) image x cells + cell.

    A cell is decoded once, however many boxes it lies in.
    """
    corners, image = corners_px(targets, levels, rules.boxes), targets.image.long()
    places: list[Tensor] = []
    parts, start = [], 0
    for index, (gt, row, col) in enumerate(candidate_cells(corners, levels, rules.boxes)):
        size, cols = levels[index].rows * levels[index].cols, levels[index].cols
        cell = row * cols + col
        place = image[gt] * size + cell
        asked = torch.zeros(targets.images * size, dtype=torch.bool, device=place.device)
        asked[place] = True
        distinct = torch.nonzero(asked).squeeze(1)
        number = torch.empty(targets.images * size, dtype=torch.int64, device=place.device)  # written where it is read, and nowhere else
        number[distinct] = torch.arange(distinct.shape[0], device=place.device)
        which = number[place]
        at, within = distinct // size, distinct % size
        boxes, logit = predict(index, at, within // cols, within % cols, which, targets.cls[gt].long())
        overlap = iou(corners[gt].to(boxes.dtype), boxes[which], kind="ciou", form=YOLOV5_5).clamp(min=0)
        score = torch.sigmoid(logit)
        slot = which + sum(part.shape[0] for part in places)
        parts.append((gt, start + cell, slot, overlap, score.pow(rules.alpha) * overlap.pow(rules.beta)))
        places.append(at * cells + start + within)
        start += size
    return _Pairs(*(torch.cat(column) for column in zip(*parts, strict=True))), torch.cat(places)


def _best(pairs: _Pairs, count: int, cells: int) -> Tensor:
    """(K,) bool: the pair's cell is among the best of its box over all cells, those outside the box standing at 0.

    Equal metrics are settled by torch.topk on the whole row, as upstream does: a box with few cells of a metric above 0 may so lose others.
    """
    order = torch.argsort(pairs.gt, stable=True)
    owners, sizes = torch.unique_consecutive(pairs.gt[order], return_counts=True)
    which = torch.repeat_interleave(torch.arange(len(owners), device=order.device), sizes)
    ends = torch.cumsum(sizes, 0).tolist()
    chosen = torch.zeros_like(pairs.gt, dtype=torch.bool)
    for first in range(0, len(owners), ROWS_AT_ONCE):
        last = min(first + ROWS_AT_ONCE, len(owners))
        span = slice(ends[first - 1] if first else 0, ends[last - 1])
        here = order[span]
        place = (which[span] - first, pairs.cell[here])
        metric = torch.zeros((last - first, cells), dtype=pairs.metric.dtype, device=order.device)
        metric[place] = pairs.metric[here]
        taken = torch.zeros_like(metric, dtype=torch.bool).scatter_(1, torch.topk(metric, count, dim=1).indices, True)
        chosen[here] = taken[place]
    return chosen


def _settle(pairs: _Pairs, picked: Tensor, targets: Targets, image: Tensor) -> Tensor:
    """(U,) the box that each slot trains, -1 for none.

    Args:
        picked: (K,) bool. image: (U,) of each slot.
    """
    count, slots = targets.boxes.shape[0], image.shape[0]
    owner = torch.full((slots,), -1, dtype=torch.int64, device=picked.device)
    owner[pairs.slot[picked]] = pairs.gt[picked]
    claims = torch.zeros_like(owner).index_add_(0, pairs.slot[picked], torch.ones_like(pairs.gt[picked]))
    disputed = claims > 1
    numbers = torch.arange(count, dtype=torch.int64, device=picked.device)
    first = torch.full((targets.images,), count, dtype=torch.int64, device=picked.device)
    first = first.scatter_reduce(0, targets.image.long(), numbers, "amin")

    among = disputed[pairs.slot]
    gt, slot, overlap = pairs.gt[among], pairs.slot[among], pairs.overlap[among]
    most = torch.zeros(slots, dtype=overlap.dtype, device=overlap.device).scatter_reduce(0, slot, overlap, "amax")
    top = (overlap == most[slot]) & (overlap > 0) | torch.isnan(overlap)
    winner = torch.full_like(owner, count).scatter_reduce(0, slot[top], gt[top], "amin")
    # where no box overlaps at all every box of the image is as good, inside or not
    return torch.where(disputed, torch.where(winner < count, winner, first[image]), owner)


def _at_owner(pairs: _Pairs, owner: Tensor, slot: Tensor) -> tuple[Tensor, Tensor]:
    """Metric and overlap of the owner at each of its slots, (P,) each; 0 where the slot is not inside it."""
    own = owner[pairs.slot] == pairs.gt
    found = []
    for value in (pairs.metric, pairs.overlap):
        plane = torch.zeros(owner.shape[0], dtype=value.dtype, device=value.device)
        plane[pairs.slot[own]] = value[own]
        found.append(plane[slot])
    return found[0], found[1]


def _most(value: Tensor, gt: Tensor, targets: Targets) -> Tensor:
    """(N,) the largest value among a box's rows, 0 for none."""
    return torch.zeros(targets.boxes.shape[0], dtype=value.dtype, device=value.device).scatter_reduce(0, gt, value, "amax")


def _place(cell: Tensor, levels: Sequence[Level]) -> tuple[Tensor, Tensor, Tensor]:
    """Level, row and col of a cell that is counted over all levels."""
    sizes = torch.tensor([level.rows * level.cols for level in levels], dtype=torch.int64, device=cell.device)
    cols = torch.tensor([level.cols for level in levels], dtype=torch.int64, device=cell.device)
    ends = torch.cumsum(sizes, 0)
    level = torch.searchsorted(ends, cell, right=True)
    within = cell - (ends - sizes)[level]
    return level, within // cols[level], within % cols[level]


def _evidence(pairs: _Pairs, picked: Tensor, owner: Tensor, count: int) -> dict[str, Tensor]:
    """What `Assignment.of_targets` says of each box, (N,) each."""
    whole = torch.zeros(count, dtype=torch.int64, device=picked.device)
    real = torch.zeros(count, dtype=pairs.metric.dtype, device=picked.device)
    lost = torch.nonzero(picked & (owner[pairs.slot] != pairs.gt)).squeeze(1)
    lost = lost[torch.argsort(pairs.metric[lost], stable=True)]
    # the last pair of each box is the best that it lost
    last = torch.full_like(whole, -1).scatter_reduce(0, pairs.gt[lost], torch.arange(len(lost), device=lost.device), "amax")
    beaten = last >= 0
    best = lost[last[beaten]]
    rival, rival_overlap = torch.full_like(whole, -1), real.clone()
    rival[beaten] = owner[pairs.slot[best]]
    at_rival = torch.zeros(owner.shape[0], dtype=real.dtype, device=real.device)
    own = owner[pairs.slot] == pairs.gt
    at_rival[pairs.slot[own]] = pairs.overlap[own]
    rival_overlap[beaten] = at_rival[pairs.slot[best]]
    return {
        "cells": torch.bincount(pairs.gt, minlength=count),
        "picked": torch.bincount(pairs.gt[picked], minlength=count),
        "best_metric": real.scatter_reduce(0, pairs.gt, pairs.metric, "amax"),
        "best_overlap": real.scatter_reduce(0, pairs.gt, pairs.overlap, "amax"),
        "rival": rival,
        "rival_overlap": rival_overlap,
    }
