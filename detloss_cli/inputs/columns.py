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
