"""Which boxes get positives, why the others get none, and where boxes meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from rich.text import Text

from detloss_cli.facts import AssignmentFacts, BoxFacts, Facts
from detloss_cli.report.grid import Column, Grid, Row
from detloss_cli.report.numbers import count, many, percent, short, trim
from detloss_cli.report.report import relative
from detloss_cli.report.safe import safe

MOST = 10


def targets_tables(facts: Facts, width: int) -> Iterator[Text]:
    """Per box, collisions, reasons, then the boxes without positives themselves."""
    assignment = facts.assignment
    if assignment is None:
        return
    yield from _per_box(assignment)
    yield from _collisions(assignment)
    if assignment.unassigned:
        yield Text("")
        yield from _reasons(assignment, width)
    if assignment.unassigned and facts.boxes is not None:
        yield Text("")
        yield from _places(facts.boxes, facts.data.root if facts.data is not None else "", _names(facts), width)


def _names(facts: Facts) -> dict[int, str]:
    return {one.id: one.name for one in facts.labels.classes} if facts.labels is not None else {}


def _per_box(assignment: AssignmentFacts) -> Iterator[Text]:
    line = Text("per box  ", style="dim")
    line.append(f"mean {trim(f'{assignment.per_box_mean:.1f}')} · most {count(assignment.per_box_max)}", style="not dim")
    if assignment.anchors_per_target is not None:
        line.append(f" · anchors a box {trim(f'{assignment.anchors_per_target:.2f}')}", style="not dim")
    yield line


def _collisions(assignment: AssignmentFacts) -> Iterator[Text]:
    line = Text("shared   ", style="dim")
    if not assignment.collision_slots:
        yield line.append("no slot is claimed twice", style="not dim")
        return
    text = (
        f"{many(assignment.collision_slots, 'slot is', 'slots are')} claimed more than once · {count(assignment.collision_rows)} rows lose"
    )
    text += f" · {count(assignment.boxes_without_slot)} boxes win none · {count(assignment.class_conflicts)} between classes"
    yield line.append(text, style="not dim")


def _reasons(assignment: AssignmentFacts, width: int) -> Iterator[Text]:
    columns = (Column("without positives", right=False, style="bold"), Column("boxes"), Column("of them"))
    rows = [
        Row((safe(name).replace("_", " "), count(number), percent(number / assignment.unassigned)))
        for name, number in sorted(assignment.by_reason.items(), key=lambda item: (-item[1], item[0]))
    ]
    sizes = ", ".join(f"{count(number)} {safe(size)}" for size, number in assignment.by_size.items() if number)
    rows.append(Row(("all", count(assignment.unassigned), "100 %"), tail=Text(sizes, style="dim"), style="bold"))
    yield from Grid(columns, tuple(rows)).lines(width)


def _places(boxes: BoxFacts, root: str, names: dict[int, str], width: int) -> Iterator[Text]:
    """The first boxes without a row: file and line, pixels, reason."""
    without = np.flatnonzero(boxes.positives.sum(axis=1) == 0)
    columns = (Column("box", right=False), Column("class", right=False, drop=2), Column("px"), Column("why", right=False, style="dim"))
    rows: Sequence[Row] = [
        Row(
            (
                f"{safe(relative(boxes.path[i], root))}:{boxes.line[i]}",
                safe(names.get(int(boxes.cls[i]), str(boxes.cls[i]))),
                f"{short(round(float(boxes.width[i]), 1))}x{short(round(float(boxes.height[i]), 1))}",
                safe(boxes.text[i] or boxes.reason[i]),
            )
        )
        for i in without[:MOST]
    ]
    yield from Grid(columns, tuple(rows)).lines(width)
    if len(without) > MOST:
        yield Text(f"and {count(len(without) - MOST)} more", style="dim")
