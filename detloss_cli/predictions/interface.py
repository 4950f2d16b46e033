"""What a loss may ask of a head's output, whether it is a real tensor or a synthetic one that is never built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Background:
    """A plane that holds one logit per anchor wherever no positive stands.

    logit: (A,) one a anchor. shape: (B, A, H, W) of the plane it stands for.
    """

    logit: Tensor
    shape: tuple[int, int, int, int]


class Predictions(Protocol):
    """Raw logits of a batch. B images; a level is (B, A, H, W, C), anchor-free levels have A = 1."""

    images: int

    def plane(self, level: int, channel: int) -> Tensor | Background:
        """One channel of one level: (B, A, H, W), or what stands for it."""
        ...

    def at(self, level: int, image: Tensor, anchor: Tensor, row: Tensor, col: Tensor) -> Tensor:
        """All channels at P slots: (P, C)."""
        ...

    def dense(self, level: int) -> Tensor:
        """The whole level, (B, A, H, W, C), built if need be."""
        ...


class DensePredictions:
    """Predictions that are tensors already, one (B, A, H, W, C) a level."""

    def __init__(self, levels: Sequence[Tensor]) -> None:
        for tensor in levels:
            if tensor.ndim != 5:
                raise ValueError(f"expected (B, A, H, W, C), got {tuple(tensor.shape)}")
        self._levels = tuple(levels)
        self.images = int(self._levels[0].shape[0])

    def plane(self, level: int, channel: int) -> Tensor:
        return self._levels[level][..., channel]

    def at(self, level: int, image: Tensor, anchor: Tensor, row: Tensor, col: Tensor) -> Tensor:
        return self._levels[level][image, anchor, row, col]

    def dense(self, level: int) -> Tensor:
        return self._levels[level]
