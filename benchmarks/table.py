"""The rows as a table: on the screen, as the block of docs/benchmarks.md, and the few of them that the README quotes."""

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

# What and beside what: the rows of the README.
QUOTED = (
    ("inspect labels, fixed decimals", "plain loop"),
    ("inspect labels, cold", "ultralytics"),
    ("inspect labels, cached", "ultralytics"),
    ("inspect labels, cold", "supervision"),
    ("check of a set", "a script of plain parts"),
    ("check of a set, with its loss", "a script of plain parts"),
    ("loss of a set, prior head", "dense, batch by batch"),
    ("positives of a set, counted", "batch by batch"),
    ("anchors of a set, fit of 1000 generations", ""),
)


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
        block = "\n".join([BEGIN.format(name=name), "```text", machine(place, cores), HEAD, *map(line, rows), "```", END.format(name=name)])
        text = put(text, name, block) or f"{text.rstrip()}\n\n## {name}\n\n{block}\n"
    page.write_text(text, encoding="utf-8")


def quote(page: Path, found: Mapping[str, list[Row]], place: Place, cores: int) -> None:
    """Put the rows of `QUOTED` into the README, which has a block for them."""
    by_what = {(row.what, row.peer): row for rows in found.values() for row in rows}
    wanted = [by_what[key] for key in QUOTED if key in by_what]
    lines = [f"{'what':<42} {'detloss':>8} {'beside':>8} {'faster':>7}  which"]
    lines += [f"{row.what:<42} {amount(row.ours, row.unit):>8} {beside(row)}".rstrip() for row in wanted]
    block = "\n".join([BEGIN.format(name="speed"), "```text", machine(place, cores), *lines, "```", END.format(name="speed")])
    text = page.read_text(encoding="utf-8")
    page.write_text(put(text, "speed", block) or text, encoding="utf-8")


def beside(row: Row) -> str:
    """What the other took, and how many times ours that is."""
    return f"{amount(row.theirs, row.unit):>8} {row.theirs / row.ours:>6.3g}x  {row.peer}" if row.theirs is not None else ""


def put(text: str, name: str, block: str) -> str:
    """The text with a block in place of its last version, "" where it has none."""
    known = re.compile(f"{re.escape(BEGIN.format(name=name))}.*?{re.escape(END.format(name=name))}", re.DOTALL)
    return known.sub(lambda _: block, text) if known.search(text) else ""


def machine(place: Place, cores: int) -> str:
    """Where, when and at what size was measured."""
    size = "full size" if place.full else "a tenth of the size"
    return f"{cores} vCPU, Python {platform.python_version().rpartition('.')[0]}, {datetime.date.today()}, {size}"
