"""Boxes as columns, before they know their data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Columns:
    """Boxes by image, in file order. Fields as in `Labels`."""

    image: NDArray[np.int64]
    line: NDArray[np.int32]
    cls: NDArray[np.int64]
    boxes: NDArray[np.float32]

    def __reduce__(self) -> tuple[Any, ...]:
        """Between processes they go packed."""
        starts, sizes = _runs(self.image)
        return _unpacked, (self.image[starts], sizes, packed_line(self.line, sizes), packed_cls(self.cls), self.boxes)


def _unpacked(
    images: NDArray[np.int64], sizes: NDArray[np.int64], line: NDArray[np.int32], cls: NDArray[Any], boxes: NDArray[np.float32]
) -> Columns:
    return Columns(np.repeat(images, sizes), whole_line(line, sizes), cls.astype(np.int64), boxes)


def packed_line(line: NDArray[np.int32], sizes: NDArray[np.int64]) -> NDArray[np.int32]:
    """(N,) the lines of images with `sizes` boxes each; (0,) where each image counts them 1, 2, 3."""
    return line[:0] if (line == _counted(sizes)).all() else line


def whole_line(line: NDArray[np.int32], sizes: NDArray[np.int64]) -> NDArray[np.int32]:
    """(N,) as they were before `packed_line`."""
    return line if len(line) else _counted(sizes)


def packed_cls(cls: NDArray[np.int64]) -> NDArray[Any]:
    """(N,) in bytes where every id fits into one."""
    return cls.astype(np.uint8) if len(cls) and cls.min() >= 0 and cls.max() < 1 << 8 else cls


def _runs(image: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the boxes of an image begin, and how many they are."""
    starts = np.flatnonzero(np.diff(image, prepend=-1))
    return starts, np.diff(starts, append=len(image))


def _counted(sizes: NDArray[np.int64]) -> NDArray[np.int32]:
    """(N,) 1, 2, 3 in each image."""
    ends = np.cumsum(sizes)
    return (np.arange(1, 1 + (int(ends[-1]) if len(ends) else 0)) - np.repeat(ends - sizes, sizes)).astype(np.int32)


def empty() -> Columns:
    """No boxes."""
    return Columns(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int64), np.empty((0, 4), np.float32))


def join(parts: Sequence[Columns]) -> Columns:
    """Parts of one data set, one after the other."""
    return Columns(
        np.concatenate([part.image for part in parts]),
        np.concatenate([part.line for part in parts]),
        np.concatenate([part.cls for part in parts]),
        np.concatenate([part.boxes for part in parts]),
    )


def join_and_drop(parts: list[Columns]) -> Columns:
    """The same, column by column, so that never more than one column is held twice. The list is empty afterwards."""
    images, lines = [part.image for part in parts], [part.line for part in parts]
    ids, boxes = [part.cls for part in parts], [part.boxes for part in parts]
    parts.clear()
    return Columns(_joined(images), _joined(lines), _joined(ids), _joined(boxes))


def _joined(column: list[NDArray[Any]]) -> NDArray[Any]:
    whole = np.concatenate(column)
    column.clear()
    return whole
