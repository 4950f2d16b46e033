"""Head outputs that lie in a file: only what is asked for is read, in the dtype and on the device of the run."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class FilePredictions:
    """Some images of a file.

    Args:
        levels: one (images of the file, A, H, W, C) a level, mapped. first, images: the batch's. dtype, device: what they are turned into.
    """

    def __init__(self, levels: Sequence[Tensor], first: int, images: int, *, dtype: torch.dtype, device: torch.device) -> None:
        self._levels = tuple(level[first : first + images] for level in levels)
        self._dtype, self._device = dtype, device
        self.images = images

    def plane(self, level: int, channel: int) -> Tensor:
        return self._moved(self._levels[level][..., channel])

    def at(self, level: int, image: Tensor, anchor: Tensor, row: Tensor, col: Tensor) -> Tensor:
        tensor = self._levels[level]
        return self._moved(tensor[tuple(index.to(tensor.device) for index in (image, anchor, row, col))])

    def dense(self, level: int) -> Tensor:
        return self._moved(self._levels[level])

    def _moved(self, tensor: Tensor) -> Tensor:
        return tensor.to(device=self._device, dtype=self._dtype)
