"""One picture box by box, level by level, anchor by anchor: cells that train it, or how far the anchor is off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from rich.text import Text

from detloss_cli.facts import ImageFacts, LevelFacts
from detloss_cli.report.grid import Column, Grid, Row
from detloss_cli.report.numbers import count, short, times

BY_RATIO = ("yolov5", "yolov7")


def image_anchors(image: ImageFacts, levels: Sequence[LevelFacts], family: str, width: int) -> Iterator[Text]:
    """`10x13  3` where an anchor gives the box three cells, `10x13  4.9x` where its worst side ratio is 4.9. Nothing without anchors."""
    most = max((len(level.anchors) for level in levels), default=0)
    if not most or not len(image.line):
        return
    columns = [Column("line"), Column("level", right=False, style="bold")]
    for _ in range(most):
        columns += [Column("anchor", style="dim"), Column("cells")]
    rows = []
    for box in range(len(image.line)):
        for index, level in enumerate(levels):
            cells: list[str | Text | None] = [str(image.line[box]) if index == 0 else "", f"{level.level}/{level.stride}"]
            for anchor in range(most):
                cells += _pair(image, level, index, anchor, box, family)
            rows.append(Row(tuple(cells)))
    yield from Grid(tuple(columns), tuple(rows)).lines(width)


def _pair(image: ImageFacts, level: LevelFacts, index: int, anchor: int, box: int, family: str) -> list[str | Text]:
    if anchor >= len(level.anchors):
        return ["", ""]
    wide, high = level.anchors[anchor]
    own = image.cells
    number = int(np.count_nonzero((own[:, 0] == index) & (own[:, 3] == anchor) & (own[:, 4] == box)))
    if number:
        return [f"{short(wide)}x{short(high)}", Text(count(number), style="green")]
    return [f"{short(wide)}x{short(high)}", Text(_off(image, box, wide, high) if family in BY_RATIO else "0", style="dim")]


def _off(image: ImageFacts, box: int, wide: float, high: float) -> str:
    """The worst side ratio of a box to an anchor; a dash for a box without an area."""
    x1, y1, x2, y2 = image.boxes_xyxy[box].tolist()
    sides = (x2 - x1) / wide, (y2 - y1) / high
    return times(max(max(side, 1 / side) for side in sides)) if min(sides) > 0 else "-"
