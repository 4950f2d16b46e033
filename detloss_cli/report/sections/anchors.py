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
    for a_line in range(most, 0, -1):
        grid = _grid(levels, most, a_line)
        if max(line.cell_len for line in grid.lines(width)) <= width:
            break
    yield from grid.lines(width)


def _grid(levels: Sequence[LevelFacts], most: int, a_line: int) -> Grid:
    """So many anchors a line; a level with more goes on below."""
    columns = [Column("anchors", right=False, style="bold")]
    for _ in range(a_line):
        columns += [Column("px", style="dim"), Column("matches"), Column("positives", drop=1, style="dim")]
    rows = [_row(level, range(first, first + a_line)) for level in levels for first in range(0, most, a_line)]
    return Grid(tuple(columns), tuple(rows))


def _row(level: LevelFacts, indices: range) -> Row:
    cells: list[str | Text] = ["" if indices.start else f"{level.level}/{level.stride}"]
    for index in indices:
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
