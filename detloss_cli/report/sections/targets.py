"""Which boxes get positives, why the others get none, and where boxes meet."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from detloss_cli.facts import AssignmentFacts, Facts
from detloss_cli.report.grid import Column, Grid, Row
from detloss_cli.report.numbers import count, percent, trim
from detloss_cli.report.safe import safe
from detloss_cli.report.sections.collisions import collisions_lines
from detloss_cli.report.sections.groups import groups_table
from detloss_cli.report.sections.header import labelled


def targets_tables(facts: Facts, width: int) -> Iterator[Text]:
    """Per box, collisions, reasons; the boxes without positives themselves are findings."""
    assignment = facts.assignment
    if assignment is None:
        return
    yield from labelled("per box", _per_box(assignment), width)
    yield from collisions_lines(facts, width)
    if assignment.unassigned:
        yield Text("")
        yield from _reasons(assignment, width)
        yield Text("")
        yield from groups_table(facts, width)


def _per_box(assignment: AssignmentFacts) -> list[str]:
    parts = [f"mean {trim(f'{assignment.per_box_mean:.1f}')}", f"most {count(assignment.per_box_max)}"]
    if assignment.anchors_per_target is not None:
        parts.append(f"anchors a box {trim(f'{assignment.anchors_per_target:.2f}')}")
    return parts


def _reasons(assignment: AssignmentFacts, width: int) -> Iterator[Text]:
    columns = (Column("without positives", right=False, style="bold"), Column("boxes"), Column("of them"))
    rows = [
        Row((safe(name).replace("_", " "), count(number), percent(number / assignment.unassigned)))
        for name, number in sorted(assignment.by_reason.items(), key=lambda item: (-item[1], item[0]))
    ]
    rows.append(Row(("all", count(assignment.unassigned), "100 %"), style="bold"))
    yield from Grid(columns, tuple(rows)).lines(width)
