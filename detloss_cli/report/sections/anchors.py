"""Anchors by level: their size and how many boxes match each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from detloss_cli.facts import LevelFacts
from detloss_cli.report.grid import Column, Grid, Row
from detloss_cli.report.numbers import count, short


def anchors_table(levels: Sequence[LevelFacts], width: int) -> Iterator[Text]:
    """Matches of each anchor; rows of the assignment, neighbours included, where there is room."""
    most = max((len(level.anchors) for level in levels), default=0)
    if not most or not any(level.matches_per_anchor for level in levels):
        return
    columns = [Column("anchors", right=False, style="bold")]
    for _ in range(most):
        columns += [Column("px", style="dim"), Column("matches"), Column("positives", drop=1, style="dim")]
    yield from Grid(tuple(columns), tuple(_row(level, most) for level in levels)).lines(width)


def _row(level: LevelFacts, most: int) -> Row:
    cells: list[str | Text] = [f"{level.level}/{level.stride}"]
    for index in range(most):
        if index >= len(level.anchors):
            cells += ["", "", ""]
            continue
        width, height = level.anchors[index]
        cells.append(f"{short(width)}x{short(height)}")
        cells.append(_number(level.matches_per_anchor, index))
        cells.append(_number(level.positives_per_anchor, index))
    return Row(tuple(cells))


def _number(numbers: Sequence[int], index: int) -> str | Text:
    if index >= len(numbers):
        return ""
    return Text(count(numbers[index]), style="" if numbers[index] else "yellow")
