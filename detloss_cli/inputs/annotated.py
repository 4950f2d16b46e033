"""Annotations in one file for all pictures, boxes in pixels: what COCO and keras-yolo3 lines have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from detloss_cli.inputs.columns import Columns
from detloss_cli.inputs.fault import Fault

# Past the edge by less than this part of the side is rounding, as for rows of fractions.
ROUNDING = 1e-3


@dataclass(slots=True)
class Annotated:
    """What an annotation file holds. M pictures.

    file: the annotation file. pictures, width, height: (M,), sizes in pixels, 0 if unknown. splits: (M,). rows: (M,) annotations of each.
    boxes: (image, line, class, cx, cy, w, h) without an error; line is the ordinal where the file has no lines.
    skipped: pictures whose annotations could not be read. lost: rule -> annotations. stray: annotations that belong to no picture.
    names: class names by id, empty if the file has none. accepts: kinds of error with which a box is trained all the same.
    flawed: for each of `boxes`, whether it has such an error.
    """

    file: str
    accepts: tuple[str, ...] = ()
    pictures: list[str] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    width: list[int] = field(default_factory=list)
    height: list[int] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    boxes: list[tuple[int, int, int, float, float, float, float]] = field(default_factory=list)
    flawed: list[bool] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    skipped: set[int] = field(default_factory=set)
    lost: dict[str, int] = field(default_factory=dict)
    stray: int = 0
    names: tuple[str, ...] = ()

    def add_picture(self, path: str, split: str, width: int, height: int) -> int:
        """Its index."""
        self.pictures.append(path)
        self.splits.append(split)
        self.width.append(width)
        self.height.append(height)
        self.rows.append(0)
        return len(self.pictures) - 1

    def lose(self, kind: str, line: int | None, column: int | None, token: str, detail: str = "", path: str = "") -> None:
        """Leave an annotation out for a fault, which stands at `path`, else in the file."""
        self.faults.append(Fault(kind, path or self.file, line, column, token[:80], detail))
        self.lost[kind] = self.lost.get(kind, 0) + 1

    def add_box(
        self,
        image: int,
        line: int,
        cls: int,
        corners: Sequence[float],
        place: tuple[int | None, int | None],
        token: str,
        path: str = "",
    ) -> None:
        """Take a box in, or leave it out with its fault.

        Args:
            corners: x1, y1, x2, y2 in pixels. place: line and column for a fault. path: where it stands, if not in the file.
        """
        if not all(math.isfinite(value) and abs(value) < 1e9 for value in corners):
            self.lose("not-finite", *place, token, path=path)
            return
        x1, y1, x2, y2 = corners
        flawed = not (x2 > x1 and y2 > y1)
        if flawed:
            side = "width" if x2 <= x1 else "height"
            if "size-not-positive" not in self.accepts:
                self.lose("size-not-positive", *place, token, side, path)
                return
            self.faults.append(Fault("size-not-positive", path or self.file, *place, token[:80], side))
        wide, high = self.width[image], self.height[image]
        cx, cy, w, h = (x1 + x2) / 2 / wide, (y1 + y2) / 2 / high, (x2 - x1) / wide, (y2 - y1) / high
        if not (0 <= cx <= 1 and 0 <= cy <= 1):
            self.lose("centre-outside", *place, token, "x" if not 0 <= cx <= 1 else "y", path)
        elif max(w, h) > 1 + ROUNDING:
            self.lose("size-above-one", *place, token, "width" if w > h else "height", path)
        else:
            self.boxes.append((image, line, cls, cx, cy, min(w, 1.0), min(h, 1.0)))
            self.flawed.append(flawed)

    def columns(self, *, flawed: bool = False) -> Columns:
        """The boxes, sorted by picture, else in the order of the file; those with an accepted error as well if asked for."""
        sound = self.boxes if flawed or not any(self.flawed) else list(compress(self.boxes, (not bad for bad in self.flawed)))
        table: NDArray[np.float64] = np.array(sound, dtype=np.float64).reshape(-1, 7)
        table = table[np.argsort(table[:, 0], kind="stable")]
        whole = table[:, :3].astype(np.int64)
        return Columns(whole[:, 0], whole[:, 1].astype(np.int32), whole[:, 2], table[:, 3:].astype(np.float32))
