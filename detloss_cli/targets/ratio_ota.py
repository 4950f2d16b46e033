"""Optimal transport over anchor-ratio candidates: yolov7's OTA, with and without auxiliary heads.

Source: behaviour of WongKinYiu/yolov7, after arXiv 2107.08430 section 2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from detloss_cli.geometry.convert import cxcywh_to_xyxy
from detloss_cli.geometry.decode import decode_sigmoid
from detloss_cli.geometry.iou import iou
from detloss_cli.inputs.head import Channels, Level
from detloss_cli.targets.anchor_ratio import anchors_in_cells
from detloss_cli.targets.assignment import Assignment, Targets
from detloss_cli.targets.dynamic_k import dynamic_k

Gather = Callable[[int, Tensor, Tensor, Tensor, Tensor], Tensor]  # level, image, anchor, row, col, each (P,), to logits (P, C)
OVERLAP_WEIGHT = 3.0


@torch.no_grad()
def ratio_ota(
    targets: Targets, found: Assignment, levels: Sequence[Level], channels: Channels, at: Gather, *, side_px: int, top: int
) -> Assignment:
    """Of the candidates of an image each box takes its k cheapest, k from its best overlaps; a candidate goes to one box.

    cost = sum_c BCE(logit(sqrt(sigmoid(cls) sigmoid(obj))), onehot) - 3 log(IoU + 1e-8), class scores in float32.

    Args:
        targets: boxes (N, 4) `cxcywh` in 0..1.
        found: the candidates, rows of an anchor-ratio assignment; a cell may stand in it several times.
        at: raw logits at slots.
        side_px: what both axes of a box are scaled with in the cost. Upstream takes the input's height for the width too, which is wrong
            for an input that is not square.
        top: how many overlaps add up to k.

    Returns:
        Rows by level, then image, then candidate. extra: `iou` and `cost` (P,). of_targets, (N,) each: `candidates` and `wanted` (k)
        int64, `best_cost`, and `rival`, the box that got this one's cheapest candidate; inf and -1 for a box whose image has none.

    Differs: where no image of a batch has a candidate upstream builds its empty tensors on `cuda:0`; here there are no positives.
    """
    boxes_px = cxcywh_to_xyxy(targets.boxes * side_px)
    decoded, score = _decoded(found, levels, channels, at)
    count, device = targets.boxes.shape[0], targets.boxes.device
    chosen, gt, overlap_of, cost_of = [], [], [], []
    wanted, rival = torch.zeros(count, dtype=torch.int64, device=device), torch.full((count,), -1, dtype=torch.int64, device=device)
    best = torch.full((count,), torch.inf, dtype=decoded.dtype, device=device)
    for image in torch.unique(targets.image).tolist():
        mine = torch.nonzero(targets.image == image).squeeze(1)
        rows = torch.nonzero(found.image == image).squeeze(1)
        overlap = iou(boxes_px[mine, None], decoded[None, rows])
        cost = _class_cost(score[rows], targets.cls[mine]) + OVERLAP_WEIGHT * -torch.log(overlap + 1e-8)
        match = dynamic_k(cost, overlap, top=top)
        won = torch.nonzero(match.gt >= 0).squeeze(1)
        chosen.append(rows[won])
        gt.append(mine[match.gt[won]])
        overlap_of.append(overlap[match.gt[won], won])
        cost_of.append(cost[match.gt[won], won])
        wanted[mine] = match.wanted
        if rows.shape[0]:
            best[mine] = cost.min(1).values.to(best.dtype)
            winner = match.gt[match.best]
            rival[mine] = torch.where(winner >= 0, mine[winner.clamp(min=0)], -1)
    empty = torch.zeros(0, dtype=torch.int64, device=device)
    kept = torch.cat(chosen) if chosen else empty
    order = torch.argsort(found.level[kept], stable=True)
    kept = kept[order]
    return Assignment(
        level=found.level[kept],
        image=found.image[kept],
        anchor=found.anchor[kept],
        row=found.row[kept],
        col=found.col[kept],
        gt=torch.cat(gt)[order] if gt else empty,
        extra={"iou": torch.cat(overlap_of)[order], "cost": torch.cat(cost_of)[order]} if gt else {},
        of_targets={"candidates": torch.bincount(found.gt, minlength=count), "wanted": wanted, "best_cost": best, "rival": rival},
    )


def shifted(assignment: Assignment, levels: int) -> Assignment:
    """The same rows that many levels further on: where an auxiliary head stands."""
    return replace(assignment, level=assignment.level + levels)


def _decoded(found: Assignment, levels: Sequence[Level], channels: Channels, at: Gather) -> tuple[Tensor, Tensor]:
    """Corners (K, 4) px and class scores (K, C) float32 of the candidates."""
    corners, scores, places = [], [], []
    for index, level in enumerate(levels):
        rows = torch.nonzero(found.level == index).squeeze(1)
        slot = (found.image[rows], found.anchor[rows], found.row[rows], found.col[rows])
        logits = at(index, *slot)
        boxes = decode_sigmoid(logits[:, channels.box], anchors_in_cells(level, logits)[slot[1]])
        centre = boxes[:, :2] + torch.stack((slot[3], slot[2]), 1)
        corners.append(cxcywh_to_xyxy(torch.cat((centre, boxes[:, 2:]), 1) * level.stride))
        scores.append(torch.sigmoid(logits[:, channels.cls].float()) * torch.sigmoid(logits[:, channels.obj or 0, None].float()))
        places.append(rows)
    order = torch.argsort(torch.cat(places))
    return torch.cat(corners)[order], torch.cat(scores)[order]


def _class_cost(product: Tensor, classes: Tensor) -> Tensor:
    """(G, K) BCE of each candidate's scores with each box's class, summed over classes.

    Args:
        product: (K, C) sigmoid(cls) sigmoid(obj). classes: (G,).
    """
    y = product.sqrt()
    logit = torch.log(y / (1 - y))[None].expand(classes.shape[0], -1, -1)
    onehot = functional.one_hot(classes.long(), product.shape[1]).float()[:, None].expand_as(logit)
    return functional.binary_cross_entropy_with_logits(logit, onehot, reduction="none").sum(-1)
