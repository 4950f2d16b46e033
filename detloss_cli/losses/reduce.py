"""Means over planes whose target is 0 but at some slots."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from detloss_cli.losses.elementwise import Form
from detloss_cli.predictions.interface import Background


def wide(dtype: torch.dtype) -> torch.dtype:
    """What sums of a dtype are made in: 16 bits hold no sum of many."""
    return torch.promote_types(dtype, torch.float32)


def means_over_planes(planes: Sequence[Tensor], slot: Tensor, each: Tensor, loss: Form) -> list[Tensor]:
    """Mean of an elementwise loss over all cells of each plane, whose target is 0 but at some slots: all cells are held to 0 and the slots
    replaced. No targets are built; the bits are those of built ones, for any number of threads.

    Args:
        planes: (B, A, H, W) logits each. slot: (S,) int64, cells of all planes laid end to end, none twice. each: (S,) the loss there.
    """
    flat = torch.cat([plane.reshape(-1) for plane in planes])  # other channels lie between the cells: what costs is reading them, so once
    cost = loss.absent(flat).index_put_((slot,), each)
    sizes = [plane.numel() for plane in planes]
    found = []
    for plane, own in zip(planes, cost.split_with_sizes(sizes), strict=True):
        maps = own.view(plane.shape).sum(dim=(2, 3), dtype=wide(own.dtype))  # to more than one sum: a single one is cut up by threads
        found.append((maps.sum() / plane.numel()).to(own.dtype))
    return found


def mean_over_background(plane: Background, anchor: Tensor, each: Tensor, loss: Form) -> Tensor:
    """The same for one plane that holds a constant but at some slots.

    Args:
        anchor: (S,) int64 of each slot, no slot twice. each: (S,) the loss there.
    """
    images, _, rows, cols = plane.shape
    taken = torch.zeros_like(plane.logit).index_add(0, anchor, torch.ones_like(anchor, dtype=plane.logit.dtype))
    return mean_with_background(each.sum(), loss.absent(plane.logit), taken, torch.full_like(taken.sum(), images * rows * cols))


def mean_with_background(slots: Tensor, empty: Tensor, taken: Tensor, cells: Tensor) -> Tensor:
    """Mean over all cells of planes that hold one logit an anchor but at some slots: (slots + sum_a empty_a (cells - taken_a)) / (A cells).

    Args:
        slots: (...) sum over the slots. empty: (A,) loss of a cell without a row. taken: (..., A) slots of each anchor.
        cells: (...) images x rows x cols.
    """
    background = (empty * (cells[..., None] - taken)).sum(dim=-1)
    return (background + slots) / (empty.shape[0] * cells)
