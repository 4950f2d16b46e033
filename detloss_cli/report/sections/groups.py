"""The boxes without positives by size, class and side ratio, each against all boxes of its kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.text import Text

from detloss_cli.facts import Facts
from detloss_cli.measure.groups import aspects
from detloss_cli.report.grid import Column, Grid, Row
from detloss_cli.report.numbers import NOTHING, count, percent
from detloss_cli.report.safe import safe

MOST = 8  # classes


def groups_table(facts: Facts, width: int) -> Iterator[Text]:
    """Nothing where every box has positives."""
    assignment, labels, boxes = facts.assignment, facts.labels, facts.boxes
    if assignment is None or not assignment.unassigned:
        return
    classes = {one.name: one.boxes for one in labels.classes} if labels is not None else {}
    ratios = aspects(boxes.width, boxes.height) if boxes is not None else {}
    rows = _rows("size", assignment.by_size, labels.sizes if labels is not None else {}, sort=False)
    rows += _rows("class", assignment.by_class, classes, sort=True)
    rows += _rows("side ratio", assignment.by_aspect, ratios, sort=False)
    columns = (Column("", right=False), Column("without positives", right=False, style="bold"), Column("boxes"), Column("of all such"))
    yield from Grid(columns, tuple(rows)).lines(width)


def _rows(title: str, without: Mapping[str, int], everyone: Mapping[str, int], *, sort: bool) -> list[Row]:
    found = [(name, number) for name, number in without.items() if number]
    if sort:
        found.sort(key=lambda item: (-item[1], item[0]))
    shown, rest = found[:MOST], found[MOST:]
    rows = []
    for place, (name, number) in enumerate(shown):
        whole = everyone.get(name, 0)
        share = percent(number / whole) if whole else NOTHING
        rows.append(Row((Text(title if place == 0 else "", style="dim"), safe(name)[:32], count(number), share)))
    if rest:
        rows.append(Row(("", f"{count(len(rest))} more", count(sum(number for _, number in rest)), ""), style="dim"))
    return rows
