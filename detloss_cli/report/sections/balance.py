"""What autobalance makes of the objectness weight of each level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from detloss_cli.facts import LevelFacts
from detloss_cli.report.numbers import many, short
from detloss_cli.report.safe import safe
from detloss_cli.report.sections.header import labelled


def balance_line(levels: Sequence[LevelFacts], batches: int, width: int) -> Iterator[Text]:
    """`balance  P3 4 to 3.9712 · P4 1 to 1 · ...`, nothing where no level has moved its weight."""
    moved = [
        f"{safe(level.level)} {short(level.balance)} to {short(level.balance_after)}"
        for level in levels
        if level.balance is not None and level.balance_after is not None
    ]
    if moved:
        yield from labelled("balance", [*moved, f"after {many(batches, 'batch', 'batches')}"], width)
