"""Means that are defined, and zero, over no rows at all."""

from __future__ import annotations

import torch
from torch import Tensor

from detloss_cli.losses.elementwise import Form
from detloss_cli.predictions.interface import Background


def mean_or_zero(values: Tensor) -> Tensor:
    """Sum over the number of values, () and 0 for none: written without a branch on how many there are."""
    return values.sum() / torch.ones_like(values).sum().clamp(min=1)


def mean_over_plane(plane: Tensor | Background, anchor: Tensor, logit: Tensor, each: Tensor, loss: Form) -> Tensor:
    """Mean of an elementwise loss over all cells of a plane whose target is 0 but for some slots: no plane of targets is built, all cells
    are held to 0 and the slots corrected.

    Args:
        plane: (B, A, H, W) logits, or the constant that they are. anchor: (S,) int64 of each slot, no slot twice. logit: (S,) the plane's
            logits at the slots. each: (S,) the loss there. loss: the elementwise one.
    """
    if isinstance(plane, Background):
        images, _, rows, cols = plane.shape
        taken = torch.zeros_like(plane.logit).index_add(0, anchor, torch.ones_like(logit))
        return mean_with_background(each.sum(), loss.absent(plane.logit), taken, torch.full_like(taken.sum(), images * rows * cols))
    dense = plane.contiguous()  # other channels lie between its cells: what costs is reading them, so once
    return loss.absent(dense).mean() + (each - loss.absent(logit)).sum() / dense.numel()


def mean_with_background(slots: Tensor, empty: Tensor, taken: Tensor, cells: Tensor) -> Tensor:
    """Mean over all cells of planes that hold one logit an anchor but at some slots: (slots + sum_a empty_a (cells - taken_a)) / (A cells).

    Args:
        slots: (...) sum over the slots. empty: (A,) loss of a cell without a row. taken: (..., A) slots of each anchor.
        cells: (...) images x rows x cols.
    """
    background = (empty * (cells[..., None] - taken)).sum(dim=-1)
    return (background + slots) / (empty.shape[0] * cells)
