"""Dynamic k: each box takes as many candidates as its best overlaps add up to, the cheapest first; a candidate goes to one box.

Source: SimOTA in arXiv 2107.08430, section 2.1; behaviour of Megvii-BaseDetection/YOLOX, which WongKinYiu/yolov7 shares.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class DynamicK:
    """What a box and a candidate got. G boxes, K candidates.

    gt: (K,) int64, the box that a candidate went to, -1 for none. wanted: (G,) int64, k of each box.
    best: (G,) the candidate that was cheapest for each box, -1 where there is none.
    """

    gt: Tensor
    wanted: Tensor
    best: Tensor


def dynamic_k(cost: Tensor, overlap: Tensor, *, top: int = 10) -> DynamicK:
    """k_g = max(1, trunc(sum of the top overlaps of g)); each box takes its k_g cheapest candidates.

    A candidate that several boxes took goes to the box whose cost there is lowest among all boxes, be it one that did not take it.
    A box may so end up with nothing. Equal costs are taken in the order of `torch.topk` on the row: that is what a trainer gets.

    Args:
        cost: (G, K). overlap: (G, K) in 0..1. top: how many overlaps are added up.

    Differs: without any candidate YOLOX raises RuntimeError and yolov7 passes the image over; here nothing is assigned.
    """
    boxes, candidates = cost.shape
    if boxes == 0 or candidates == 0:
        nothing = torch.full((candidates,), -1, dtype=torch.int64, device=cost.device)
        return DynamicK(nothing, torch.ones(boxes, dtype=torch.int64, device=cost.device), nothing.new_full((boxes,), -1))
    highest = torch.topk(overlap, min(top, candidates), dim=1).values
    wanted = highest.sum(1).to(torch.int32).clamp(min=1, max=candidates).long()
    taken = torch.zeros((boxes, candidates), dtype=torch.bool, device=cost.device)
    for k in torch.unique(wanted).tolist():
        rows = torch.nonzero(wanted == k).squeeze(1)
        cheapest = torch.topk(cost[rows], k, dim=1, largest=False).indices
        taken[rows[:, None], cheapest] = True
    gt = torch.where(taken.any(dim=0), taken.to(torch.uint8).argmax(dim=0), -1)
    shared = torch.nonzero(taken.sum(dim=0) > 1).squeeze(1)
    gt[shared] = torch.min(cost[:, shared], dim=0).indices
    return DynamicK(gt, wanted, torch.min(cost, dim=1).indices)
