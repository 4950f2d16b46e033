"""Columns of text: aligned by cells of the terminal, dropped by rank where the terminal is too narrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.text import Text

GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """One column. head: with its unit. group: stands above the heads of neighbours that share it. right: numbers.
    drop: 0 stays whatever the width, else the highest goes first. style: of its cells."""

    head: str
    right: bool = True
    group: str = ""
    drop: int = 0
    style: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One cell a column; None belongs to the cell before it. tail: free text after the last cell; where it does not fit it is left out, or
    with keep_tail stands on a line of its own. style: of the whole row."""

    cells: tuple[str | Text | None, ...]
    tail: Text = field(default_factory=Text)
    keep_tail: bool = False
    style: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]

    def widths(self) -> list[int]:
        """Cells of the terminal that each column takes."""
        found = [max(_length(column.head), *(self._own(row, i) for row in self.rows), 0) for i, column in enumerate(self.columns)]
        for row in self.rows:
            for start, stop in _spans(row):
                missing = _length(row.cells[start] or "") - sum(found[start:stop]) - GAP * (stop - start - 1)
                found[stop - 1] += max(0, missing)
        return found

    def fitted(self, width: int) -> Grid:
        """Without the columns that do not fit, highest rank first."""
        grid = self
        while sum(grid.widths()) + GAP * (len(grid.columns) - 1) > width:
            rank = max(column.drop for column in grid.columns)
            if rank == 0:
                break
            kept = [i for i, column in enumerate(grid.columns) if column.drop != rank]
            grid = Grid(
                tuple(grid.columns[i] for i in kept),
                tuple(Row(tuple(row.cells[i] for i in kept), row.tail, row.keep_tail, row.style) for row in grid.rows),
            )
        return grid

    def lines(self, width: int) -> list[Text]:
        """Heads and rows."""
        grid = self.fitted(width)
        sizes = grid.widths()
        heads = Row(tuple(column.head for column in grid.columns), style="dim")
        lines = [grid._groups(sizes)] if any(column.group for column in grid.columns) else []
        if any(column.head for column in grid.columns):
            lines.append(grid._line(heads, sizes, plain=True))
        for row in grid.rows:
            line = grid._line(row, sizes)
            lines.append(line)
            if row.tail and line.cell_len + GAP + row.tail.cell_len <= width:
                line.append(" " * GAP).append_text(row.tail)
            elif row.tail and row.keep_tail:
                used = min(width, sum(sizes) + GAP * (len(sizes) - 1))
                lines.append(Text(" " * max(0, used - row.tail.cell_len)).append_text(row.tail))
        return lines

    def _own(self, row: Row, index: int) -> int:
        cell = row.cells[index]
        spans = index + 1 < len(row.cells) and row.cells[index + 1] is None
        return 0 if cell is None or spans else _length(cell)

    def _groups(self, sizes: Sequence[int]) -> Text:
        line, index = Text(style="dim"), 0
        while index < len(self.columns):
            stop = index + 1
            while stop < len(self.columns) and self.columns[stop].group == self.columns[index].group:
                stop += 1
            size = sum(sizes[index:stop]) + GAP * (stop - index - 1)
            name = self.columns[index].group
            fill = size - len(name) - 2
            line.append(f"{'─' * (fill // 2)} {name} {'─' * (fill - fill // 2)}" if name and fill >= 2 else name.rjust(size))
            line.append(" " * GAP)
            index = stop
        line.rstrip()
        return line

    def _line(self, row: Row, sizes: Sequence[int], *, plain: bool = False) -> Text:
        line = Text(style=row.style)
        for start, stop in _spans(row, single=True):
            cell = row.cells[start]
            text = cell.copy() if isinstance(cell, Text) else Text(cell or "")
            if not plain and not row.style and self.columns[start].style:
                text.stylize_before(self.columns[start].style)
            space = sum(sizes[start:stop]) + GAP * (stop - start - 1) - text.cell_len
            right = self.columns[start].right and stop == start + 1
            line.append(" " * GAP if start else "")
            line.append_text(Text(" " * space).append_text(text) if right else text.append(" " * space))
        line.rstrip()
        return line


def _length(cell: str | Text) -> int:
    return cell.cell_len if isinstance(cell, Text) else Text(cell).cell_len


def _spans(row: Row, *, single: bool = False) -> list[tuple[int, int]]:
    """(start, stop) of each cell that takes the place of those after it; with `single`, of every cell."""
    starts = [i for i, cell in enumerate(row.cells) if cell is not None]
    pairs = zip(starts, [*starts[1:], len(row.cells)], strict=True)
    return [(start, stop) for start, stop in pairs if single or stop > start + 1]
