"""The boxes whose positives differ between two runs, worst first."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from rich.text import Text

from detloss_cli.facts.compare import BoxMoves, Change
from detloss_cli.report.grid import GAP, Column, Grid, Row
from detloss_cli.report.numbers import NOTHING, count, decimals, fixed
from detloss_cli.report.safe import safe
from detloss_cli.report.sections.header import labelled

WORDS: dict[Change, str] = {
    "lost": "lose every positive",
    "only_first": "not kept",
    "fewer": "have fewer",
    "gained": "gain their first",
    "only_second": "new",
    "more": "have more",
}
STYLES: dict[Change, str] = {"lost": "bold red", "only_first": "bold red", "gained": "bold green", "only_second": "bold green"}
SHOWN, SHOWN_OF_MANY = 10, 3  # boxes of a pair of runs, unless more are asked for
INDENT = 4
LONGEST = 20  # letters of a class name


def box_moves(moves: BoxMoves, names: tuple[str, str], pairs: int, top: int | None, width: int) -> Iterator[Text]:
    """How many moved each way, then a row a box.

    Args:
        names: of both runs, as shown. pairs: of runs on the screen. top: rows that are shown, None for as many as suit that.
    """
    parts = [f"{count(moves.counts[change])} {words}" for change, words in WORDS.items() if moves.counts.get(change)]
    apart = not moves.both and moves.counts.get("only_first") and moves.counts.get("only_second")
    parts.append("no box is in both runs: is this the same data?" if apart else f"{count(moves.same)} as before")
    yield from labelled("boxes", [f"{names[0]} → {names[1]}", *parts], width)
    shown = moves.boxes[: top if top is not None else SHOWN if pairs == 1 else SHOWN_OF_MANY]
    if not shown:
        return
    losses = [loss for box in shown for loss in (box.loss_before, box.loss_after)]
    digits = decimals(losses)
    columns = [
        Column("box", right=False),
        Column("class", right=False, drop=2),
        Column("px"),
        Column("before", group="positives"),
        Column("after", group="positives"),
    ]
    loss = any(value is not None for value in losses)
    columns += [Column("before", group="loss", drop=1), Column("after", group="loss", drop=1)] if loss else []
    rows = []
    for box in shown:
        style = STYLES.get(box.change, "")
        cells: list[str | Text | None] = [
            f"{safe(box.path)}:{box.line}",
            safe(box.name)[:LONGEST],
            f"{box.width:.0f}x{box.height:.0f}",
            NOTHING if box.before is None else count(box.before),
            Text(NOTHING if box.after is None else count(box.after), style=style),
        ]
        cells += [fixed(box.loss_before, digits), fixed(box.loss_after, digits)] if loss else []
        rows.append(Row(tuple(cells)))
    lines = Grid(tuple(columns), tuple(rows)).lines(width)
    heads = len(lines) - len(rows)
    yield from lines[:heads]
    for line, box in zip(lines[heads:], shown, strict=True):
        yield from _with_reason(line, safe(box.reason), max(map(len, lines)), width)
    rest = sum(moves.counts.values()) - len(shown)
    if rest > 0:
        yield Text(f"{count(rest)} more: --top shows more of them, --format json up to a thousand", style="dim")


def _with_reason(line: Text, reason: str, size: int, width: int) -> Iterator[Text]:
    """The reason after the row where all of it fits, else in lines of its own below it."""
    if reason and size + GAP + len(reason) <= width:
        yield line.append(" " * (size + GAP - line.cell_len)).append(reason, style="dim")
        return
    yield line
    for part in textwrap.wrap(reason, max(20, width - INDENT)):
        yield Text(" " * INDENT + part, style="dim")
