"""What labels alone decide where the assignment looks at predictions too."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from detloss_cli.facts.reach import ReachFacts
from detloss_cli.report.grid import Column, Grid, Row
from detloss_cli.report.numbers import count, percent
from detloss_cli.report.safe import safe


def reach_tables(reach: ReachFacts | None, width: int) -> Iterator[Text]:
    """Boxes that pass each test by level; then those without any such slot by release and input size."""
    if reach is None or not reach.boxes:
        return
    levels = tuple(Column(safe(name)) for name in reach.levels)
    columns = (Column("labels alone, boxes with", right=False, style="bold"), *levels, Column("any"), Column("none"))
    rows = [Row((one.test, *(count(number) for number in one.by_level), count(one.any), _bad(one.none))) for one in reach.tests]
    yield from Grid(columns, tuple(rows)).lines(width)
    releases = tuple(reach.sizes[0].none)
    if len(releases) < 2 and not any(any(size.none.values()) for size in reach.sizes):
        return
    yield Text("")
    columns = (Column(f"without {reach.tests[0].test}", right=False, style="bold"), *(Column(name) for name in releases))
    rows = []
    for size in reach.sizes:
        height, wide = size.imgsz
        shown = (_share(size.none[name], reach.boxes) for name in releases)
        rows.append(Row((f"{height} px" if height == wide else f"{height}x{wide} px", *shown)))
    yield from Grid(columns, tuple(rows)).lines(width)


def _bad(number: int) -> Text:
    return Text(count(number), style="yellow" if number else "")


def _share(number: int, boxes: int) -> Text:
    return _bad(number).append(f"  {percent(number / boxes)}" if number else "")
