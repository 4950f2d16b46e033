"""Every key of a hyp file: its value, the default, the range that evolution searches, and whether the loss reads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from detloss_cli.facts import HypFacts
from detloss_cli.report.grid import Column, Grid, Row
from detloss_cli.report.numbers import NOTHING, short
from detloss_cli.report.safe import safe


def hyp_table(keys: Sequence[HypFacts], width: int) -> Iterator[Text]:
    """Keys that the loss reads first, in the order of the family; then the others."""
    columns = (
        Column("line", drop=2, style="dim"),
        Column("key", right=False, style="bold"),
        Column("value"),
        Column("default", style="dim"),
        Column("range", style="dim"),
        Column("", right=False),
        Column("meaning", right=False, drop=1, style="dim"),
    )
    rows = [_row(key) for key in sorted(keys, key=lambda key: not key.used)]
    grid = Grid(columns, tuple(rows))
    lines = grid.lines(10**6)
    for line in lines:
        if line.cell_len > width:
            line.truncate(width - 3)
            line.rstrip()
            line.append("...")
        yield line


def _row(key: HypFacts) -> Row:
    low, high = key.low, key.high
    outside = isinstance(key.value, int | float) and low is not None and high is not None and not low <= key.value <= high
    value = Text(_value(key.value), style="yellow" if outside else "")
    span = f"{short(low)} to {short(high)}" if low is not None and high is not None else NOTHING
    used = Text("read", style="green") if key.used else Text("dead", style="yellow")
    default = NOTHING if key.default is None else short(key.default)
    return Row((NOTHING if key.line is None else str(key.line), safe(key.key), value, default, span, used, safe(key.meaning)))


def _value(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return short(value) if isinstance(value, int | float) else safe(str(value))[:24]
