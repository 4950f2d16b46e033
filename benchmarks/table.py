"""The rows as a table: on the screen, and as the block of docs/benchmarks.md."""

from __future__ import annotations

import datetime
import platform
import re
from collections.abc import Mapping
from pathlib import Path

from in_turn import Row
from workplace import Place

HEAD = f"{'what':<44} {'detloss':>9} {'the other':>9}  {'which':<26} {'ratio':>6} {'peak MB':>8}  goal"
BEGIN, END = "<!-- {name}: written by benchmarks/run.py --write -->", "<!-- end {name} -->"


def line(row: Row) -> str:
    """One row of the screen's table."""
    theirs = f"{amount(row.theirs, row.unit):>9}" if row.theirs is not None else " " * 9
    ratio = f"{row.ours / row.theirs:.2f}" if row.theirs else ""
    memory = f"{row.memory:,.0f}" if row.memory is not None else ""
    goal = f"{row.goal.text(row.unit)} {'holds' if row.holds else 'MISSED'}" if row.goal is not None else ""
    return f"{row.what:<44} {amount(row.ours, row.unit):>9} {theirs}  {row.peer:<26} {ratio:>6} {memory:>8}  {goal}".rstrip()


def amount(value: float, unit: str) -> str:
    """Three digits are all that a noisy machine gives."""
    return f"{value:.3g} {unit}" if value < 1000 else f"{value:,.0f} {unit}"


def write(page: Path, found: Mapping[str, list[Row]], place: Place, cores: int) -> None:
    """Put each benchmark's rows into its block of the page; a block that is new goes to the end."""
    text = page.read_text(encoding="utf-8")
    for name, rows in found.items():
        begin, end = BEGIN.format(name=name), END.format(name=name)
        size = "full size" if place.full else "a tenth of the size"
        machine = f"{cores} vCPU, Python {platform.python_version().rpartition('.')[0]}, {datetime.date.today()}, {size}"
        block = "\n".join([begin, "```text", machine, HEAD, *map(line, rows), "```", end])
        known = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        text = known.sub(lambda _, block=block: block, text) if known.search(text) else f"{text.rstrip()}\n\n## {name}\n\n{block}\n"
    page.write_text(text, encoding="utf-8")
