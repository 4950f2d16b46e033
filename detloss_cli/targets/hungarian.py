"""Hungarian matching: queries and boxes of an image in pairs, so that the sum of their costs is smallest.

Source: arXiv 2005.12872, section 3.1; behaviour of facebookresearch/detr@29901c5, HungarianMatcher.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from detloss_cli.errors import DetlossError
from detloss_cli.geometry.iou import iou
from detloss_cli.inputs.head import Channels
from detloss_cli.targets.assignment import Assignment, Targets


@dataclass(frozen=True, slots=True)
class MatchCosts:
    """Weights of the parts of a pair's cost: probability of the class, L1 of the boxes, GIoU."""

    cls: float = 1.0
    l1: float = 5.0
    giou: float = 2.0


@torch.no_grad()
def match_queries(targets: Targets, layers: Sequence[Tensor], channels: Channels, costs: MatchCosts) -> Assignment:
    """Each decoder layer by itself: min(queries, boxes) pairs an image.

    cost = l1 |b - q|_1 - cls softmax(q)_c - giou GIoU(q, b)

    Args:
        targets: boxes (N, 4) `cxcywh` in 0..1. layers: (B, Q, C) each, boxes `cxcywh` in 0..1, after the sigmoid.

    Returns:
        Rows by layer, image, query: the layer is the level, the query the column. extra: `cost`. of_targets, first layer: `best_cost`
        and `rival`, the box that got the cheapest query, -1 for none; (N,).

    Raises:
        DetlossError: a box or a prediction with a negative side, over which upstream raises AssertionError, or a cost that is no number.
    """
    _sides_are_given(targets.boxes, "box")
    columns: dict[str, list[Tensor]] = {name: [] for name in ("level", "image", "col", "gt", "cost")}
    device, count = targets.boxes.device, targets.boxes.shape[0]
    best_cost = torch.full((count,), torch.inf, dtype=torch.float64, device=device)
    rival = torch.full((count,), -1, dtype=torch.int64, device=device)
    for index, layer in enumerate(layers):
        _sides_are_given(layer[..., channels.box].flatten(0, 1), "query")
        for image in range(targets.images):
            boxes = torch.nonzero(targets.image == image).squeeze(1)
            cost = pair_costs(layer[image], targets.boxes[boxes], targets.cls[boxes], channels, costs)
            query, chosen = _pairs(cost)
            gt = boxes[chosen]
            found = (torch.full_like(gt, index), torch.full_like(gt, image), query, gt, cost[query, chosen])
            for name, column in zip(columns, found, strict=True):
                columns[name].append(column)
            if index == 0 and cost.numel():
                owner = torch.full_like(cost[:, 0], -1, dtype=torch.int64)
                owner[query] = gt
                best_cost[boxes], rival[boxes] = cost.amin(0).double(), owner[cost.argmin(0)]
    level, of_image, col, of_gt, pair_cost = (torch.cat(column) for column in columns.values())
    zero = torch.zeros_like(col)
    of_targets = {"best_cost": best_cost, "rival": rival}
    return Assignment(
        level=level, image=of_image, anchor=zero, row=zero, col=col, gt=of_gt, extra={"cost": pair_cost}, of_targets=of_targets
    )


def pair_costs(queries: Tensor, boxes: Tensor, classes: Tensor, channels: Channels, costs: MatchCosts) -> Tensor:
    """(Q, n) cost of every query of an image with every box.

    Args:
        queries: (Q, C). boxes: (n, 4) `cxcywh`. classes: (n,).
    """
    given = queries[:, channels.box]
    wanted = boxes.to(given.dtype)
    probability = queries[:, channels.cls].softmax(-1)[:, classes.long()]
    distance = torch.cdist(given, wanted, p=1)
    overlap: Tensor = iou(given[:, None], wanted[None], kind="giou", frame="cxcywh")
    return costs.l1 * distance + costs.cls * -probability + costs.giou * -overlap


def _pairs(cost: Tensor) -> tuple[Tensor, Tensor]:
    """Queries, ascending, and the column of each one's box."""
    try:
        query, column = linear_sum_assignment(cost.cpu().numpy())
    except ValueError as error:
        hint = "look for NaN in the predictions"
        raise DetlossError("the cost of some query and box is no number, no matching exists", where="--preds", hint=hint) from error
    return torch.as_tensor(query, device=cost.device), torch.as_tensor(column, device=cost.device)


def _sides_are_given(boxes: Tensor, what: str) -> None:
    bad = ~(boxes[:, 2:] >= 0).all(1)
    if bool(bad.any()):
        first = int(torch.nonzero(bad)[0])
        raise DetlossError(f"{what} {first} has a negative side or one that is no number: detr raises AssertionError")
