"""What a CenterNet head answers: the boxes of its objects' cells, and the price of each cell without an object."""

from __future__ import annotations

import torch
from torch import Tensor

from detloss_cli.families.centernet_heads import Regression, channels, wanted
from detloss_cli.inputs.head import Head
from detloss_cli.losses.heatmap_focal import negative_focal, negative_weight, over_centres
from detloss_cli.predictions.interface import Predictions
from detloss_cli.targets.assignment import Assignment, Targets


def boxes(head: Head, how: Regression, predictions: Predictions, assignment: Assignment, index: int, rows: Tensor) -> Tensor:
    """(P, 4) `xyxy` px. rows: (P,) int64, rows of the assignment, all of map `index`."""
    layout = channels(head.num_classes, how.by_class)
    image, row, col = (column[rows] for column in (assignment.image, assignment.row, assignment.col))
    out = predictions.at(index, image, torch.zeros_like(image), row, col)
    size = how.size_of(out, out[:, layout.cls].argmax(1))
    centre = torch.stack((col, row), 1).to(out.dtype) + out[:, layout.cls.start - 2 : layout.cls.start]
    return torch.cat((centre - size / 2, centre + size / 2), 1) * head.levels[index].stride


def background(head: Head, how: Regression, targets: Targets, predictions: Predictions, assignment: Assignment, index: int) -> Tensor:
    """(B, 1, H, W), summed over the classes and divided as the term is."""
    layout = channels(head.num_classes, how.by_class)
    want = wanted(head, index, targets, assignment)
    logits = predictions.dense(index)[:, 0, :, :, layout.cls].permute(0, 3, 1, 2)
    negatives = negative_weight(want.heat.dense().to(logits.dtype)) * negative_focal(logits)
    cost = over_centres(negatives, int((want.heat.value == 1).sum())).sum(1, keepdim=True)
    return cost.index_put((want.image, torch.zeros_like(want.image), want.row, want.col), cost.new_zeros(()))
