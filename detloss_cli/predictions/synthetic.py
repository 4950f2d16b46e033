"""Heads that nobody trained: constant logits, the answers themselves, noise. None of them builds a plane that nobody asks for."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from detloss_cli.inputs.head import Level
from detloss_cli.predictions.interface import Background


class ConstantHead:
    """The same logits in every cell of a level.

    Args:
        bias: one (A, C) tensor a level, in the dtype and on the device that the head shall have.
        levels: the head's levels. images: B.
    """

    def __init__(self, bias: Sequence[Tensor], levels: Sequence[Level], images: int) -> None:
        self._bias, self._levels, self.images = tuple(bias), tuple(levels), images

    def plane(self, level: int, channel: int) -> Tensor | Background:
        shape = self._shape(level)
        return Background(self._bias[level][:, channel], shape)

    def at(self, level: int, image: Tensor, anchor: Tensor, row: Tensor, col: Tensor) -> Tensor:
        return self._bias[level][anchor]

    def dense(self, level: int) -> Tensor:
        images, anchors, rows, cols = self._shape(level)
        bias = self._bias[level]
        return bias[None, :, None, None, :].expand(images, anchors, rows, cols, bias.shape[-1])

    def _shape(self, level: int) -> tuple[int, int, int, int]:
        grid = self._levels[level]
        return self.images, int(self._bias[level].shape[0]), grid.rows, grid.cols


class AnswerHead(ConstantHead):
    """Constant logits, but for the slots that hold an answer.

    Args:
        answers: one (slots, C) tensor a level. slots: one tuple of image, anchor, row, col, each (slots,) int64, a level; no slot twice.
        Others as `ConstantHead`: the logits everywhere else.
    """

    def __init__(
        self,
        bias: Sequence[Tensor],
        levels: Sequence[Level],
        images: int,
        answers: Sequence[Tensor],
        slots: Sequence[tuple[Tensor, Tensor, Tensor, Tensor]],
    ) -> None:
        super().__init__(bias, levels, images)
        self._answers, self._slots = tuple(answers), tuple(slots)

    def at(self, level: int, image: Tensor, anchor: Tensor, row: Tensor, col: Tensor) -> Tensor:
        keys = self._key(level, *self._slots[level])
        order = torch.argsort(keys)
        wanted = self._key(level, image, anchor, row, col)
        found = torch.searchsorted(keys[order], wanted).clamp(max=max(keys.shape[0] - 1, 0))
        if keys.shape[0] == 0:
            return super().at(level, image, anchor, row, col)
        hit = keys[order][found] == wanted
        return torch.where(hit[:, None], self._answers[level][order][found], super().at(level, image, anchor, row, col))

    def dense(self, level: int) -> Tensor:
        full = super().dense(level).clone()
        full[self._slots[level]] = self._answers[level]
        return full

    def _key(self, level: int, image: Tensor, anchor: Tensor, row: Tensor, col: Tensor) -> Tensor:
        _, anchors, rows, cols = self._shape(level)
        return ((image * anchors + anchor) * rows + row) * cols + col


class NoiseHead:
    """Standard normal logits that depend on seed, image and level alone: not on order, batch or device.

    Args:
        channels: C. anchors: A of each level. first_image: index of the batch's first image in the data set.
    """

    def __init__(
        self,
        levels: Sequence[Level],
        anchors: Sequence[int],
        channels: int,
        images: int,
        *,
        seed: int,
        first_image: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self.images = images
        self._dense = []
        for index, (level, count) in enumerate(zip(levels, anchors, strict=True)):
            planes = []
            for image in range(first_image, first_image + images):
                source = torch.Generator().manual_seed(_mix(seed, image, index))
                planes.append(torch.randn((count, level.rows, level.cols, channels), generator=source, dtype=torch.float32))
            self._dense.append(torch.stack(planes).to(device=device, dtype=dtype))

    def plane(self, level: int, channel: int) -> Tensor:
        return self._dense[level][..., channel]

    def at(self, level: int, image: Tensor, anchor: Tensor, row: Tensor, col: Tensor) -> Tensor:
        return self._dense[level][image, anchor, row, col]

    def dense(self, level: int) -> Tensor:
        return self._dense[level]


def _mix(seed: int, image: int, level: int) -> int:
    """One 63-bit seed of three numbers, so that near ones give unlike streams (splitmix64)."""
    value = (seed * 0x9E3779B97F4A7C15 + image * 0xBF58476D1CE4E5B9 + level * 0x94D049BB133111EB) & (2**64 - 1)
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & (2**64 - 1)
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & (2**64 - 1)
    return (value ^ (value >> 31)) >> 1
