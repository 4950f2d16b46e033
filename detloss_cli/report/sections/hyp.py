"""Every key of a hyp file: its value, the default, the range that evolution searches, and whether the loss reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap

from rich.text import Text

from detloss_cli.facts import HypFacts
from detloss_cli.finding import Finding
from detloss_cli.report.grid import GAP, Column, Grid, Row
from detloss_cli.report.numbers import NOTHING, short
from detloss_cli.report.safe import safe

# From this width on the line of each key is shown; findings have it anyway.
LINES = 100
# Rules that say why a key does nothing.
WORDS = {"hyp-key-dead": "dead", "hyp-key-unknown": "unknown", "hyp-key-foreign": "foreign"}


def hyp_table(keys: Sequence[HypFacts], findings: Sequence[Finding], width: int) -> Iterator[Text]:
    """Keys that the loss reads first, in the order of the file; then the others. A long meaning goes on below itself."""
    said = {finding.where.line: WORDS[finding.rule] for finding in findings if finding.rule in WORDS and finding.where is not None}
    columns: tuple[Column, ...] = (
        Column("line", style="dim"),
        Column("key", right=False, style="bold"),
        Column("value"),
        Column("default", style="dim"),
        Column("range", style="dim"),
        Column("loss", right=False),
        Column("meaning", right=False, style="dim"),
    )
    ordered = sorted(keys, key=lambda key: not key.used)
    columns = columns[1:] if width < LINES else columns
    narrow = Grid(columns[:-1], tuple(Row(_cells(key, said)[-len(columns) + 1 :]) for key in ordered))
    room = max(20, width - sum(narrow.widths()) - GAP * len(narrow.columns))
    rows = []
    for key in ordered:
        first, *more = wrap(safe(key.meaning), room) or [""]
        rows.append(Row((*_cells(key, said)[-len(columns) + 1 :], first)))
        rows += [Row((*("",) * len(narrow.columns), line)) for line in more]
    yield from Grid(columns, tuple(rows)).lines(width)


def _cells(key: HypFacts, said: Mapping[int | None, str]) -> tuple[str | Text, ...]:
    low, high = key.low, key.high
    outside = isinstance(key.value, int | float) and low is not None and high is not None and not low <= key.value <= high
    value = Text(_value(key.value), style="yellow" if outside else "")
    span = f"{short(low)} to {short(high)}" if low is not None and high is not None else NOTHING
    word = said.get(key.line) if key.line is not None else None
    used = Text("reads", style="green") if key.used else Text(word, style="yellow") if word else Text(NOTHING, style="dim")
    default = NOTHING if key.default is None else _value(key.default)
    return (NOTHING if key.line is None else str(key.line), safe(key.key), value, default, span, used)


def _value(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return short(value) if isinstance(value, int | float) else safe(str(value))[:24]
