"""Where head outputs are not finite, before anything is computed from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class NotFinite:
    """One image of one level.

    nan, inf: how many of its numbers. channels: those that hold any. first: anchor, row, col and channel of the first.
    """

    level: int
    image: int
    nan: int
    inf: int
    channels: tuple[int, ...]
    first: tuple[int, int, int, int]


def not_finite(levels: Sequence[Tensor]) -> Iterator[NotFinite]:
    """Images with a NaN or an infinity, level by level.

    Args:
        levels: one (images, A, H, W, C) a level; an image of a level is read at a time.
    """
    for index, level in enumerate(levels):
        for image in range(level.shape[0]):
            found = _in_image(level[image])
            if found is not None:
                yield NotFinite(index, image, *found)


def _in_image(values: Tensor) -> tuple[int, int, tuple[int, ...], tuple[int, int, int, int]] | None:
    # A sum over finite float16 or float32 numbers stays finite in float64, and costs one pass instead of two.
    if bool(torch.isfinite(values.sum(dtype=torch.float64))) and values.dtype != torch.float64:
        return None
    bad = ~torch.isfinite(values)
    if not bool(bad.any()):
        return None
    anchor, row, col, channel = (int(side) for side in bad.nonzero()[0])
    channels = bad.flatten(0, 2).any(dim=0).nonzero().squeeze(1).tolist()
    nan = int(torch.isnan(values).sum())
    return nan, int(bad.sum()) - nan, tuple(channels), (anchor, row, col, channel)
