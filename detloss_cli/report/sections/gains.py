"""The gain ledger: from the hyp file to the number that the loss multiplies with, each step with its source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.text import Text

from detloss_cli.facts import GainFacts
from detloss_cli.report.grid import Column, Grid, Row
from detloss_cli.report.numbers import short
from detloss_cli.report.safe import safe


def gains_table(gains: Sequence[GainFacts], width: int) -> Iterator[Text]:
    """`box  .05 = .05 x 3/3 levels   train.py`"""
    if not gains:
        return
    columns = (Column("gain", right=False), Column("used"), Column("", right=False), Column("hyp"), Column("scaled by", right=False))
    yield from Grid(columns, tuple(_row(gain) for gain in gains)).lines(width)


def _row(gain: GainFacts) -> Row:
    hyp = short(gain.hyp) if gain.key in {gain.term, ""} else f"{safe(gain.key)} {short(gain.hyp)}"
    steps = Text()
    for source, group in groupby(gain.steps, key=lambda step: step[2]):
        for rule, factor, _ in group:
            steps.append(f"x {safe(rule)}" + ("" if _says(rule, factor) else f" = {short(factor)}") + "  ")
        steps.append(f"{safe(source)}  ", style="dim")
    steps.append(safe(gain.note), style="yellow")
    steps.rstrip()
    used = Text(short(gain.used), style="bold")
    return Row((safe(gain.term), used, "=", hyp, steps))


def _says(rule: str, factor: float) -> bool:
    """True if the rule itself holds the factor, as a quotient does."""
    return short(factor) in rule or "/" in rule
