"""One picture of a run, as plain columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """One picture at the network input, and who trains what on it. N boxes, L levels, P positives.

    path: of the picture, or of its label file where there is none. imgsz: H, W of the network input. placed: x1, y1, x2, y2 that the
    picture takes there. boxes_xyxy: (N, 4), all in px of the network input. line: (N,) in the label file. name: class of each box.
    positives: (N, L) rows by level. text: why a box has none, "" where it has some. cells: (P, 5) level, row, column, anchor, box.
    """

    path: str
    label_path: str
    imgsz: tuple[int, int]
    placed: tuple[float, float, float, float]
    boxes_xyxy: NDArray[np.float32]
    line: NDArray[np.int32]
    name: tuple[str, ...]
    positives: NDArray[np.int32]
    text: tuple[str, ...]
    cells: NDArray[np.int64]
