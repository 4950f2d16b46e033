"""Columns of text about the boxes of a data set that hold each text once, however many boxes share it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class OfImage(Sequence[str]):
    """What each box has from its image. texts: (M,) by image. image: (N,) of each box."""

    texts: Sequence[str]
    image: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.image)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        if isinstance(index, slice):
            return tuple(self.texts[image] for image in self.image[index].tolist())
        return self.texts[int(self.image[index])]


@dataclass(frozen=True, slots=True)
class OfSome(Sequence[str]):
    """What few boxes have, "" for all others. texts: by box. boxes: N."""

    texts: Mapping[int, str]
    boxes: int

    def __len__(self) -> int:
        return self.boxes

    @property
    def some(self) -> list[int]:
        """The boxes that have one, in order."""
        return sorted(box for box, text in self.texts.items() if text)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        if isinstance(index, slice):
            return tuple(self.texts.get(box, "") for box in range(*index.indices(self.boxes)))
        if not -self.boxes <= index < self.boxes:
            raise IndexError(index)
        return self.texts.get(index % self.boxes, "")
