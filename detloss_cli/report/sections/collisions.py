"""Slots that several boxes claim: how many, who wins, and the loss that no head can get rid of."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from detloss_cli.facts import AssignmentFacts, Facts
from detloss_cli.report.numbers import count, decimals, fixed, many
from detloss_cli.report.safe import safe
from detloss_cli.report.sections.header import labelled

GRID = "objectness goes to the last row in the trainer's order, on CUDA to either; box and class terms count every row"
# What the trainer does with a slot that several boxes claim, by family.
WINS = {
    "yolov5": GRID,
    "yolov7": GRID,
    "yolov3-spp": GRID,
    "keras-yolo3": "the later box of the file takes the cell, class bits of both stay",
    "centernet": "both write their size and offset targets for the one cell",
    "cornernet": "both write their offset and embedding targets for the one corner",
}


def collisions_lines(facts: Facts, width: int) -> Iterator[Text]:
    """One quiet line where no slot is claimed twice."""
    assignment = facts.assignment
    if assignment is None or not assignment.collisions_counted:
        return
    yield from labelled("shared", _numbers(assignment), width)
    family = facts.settings.family if facts.settings is not None else ""
    if assignment.collision_rows and family in WINS:
        words = WINS[family].split("; ")
        yield from labelled("winner", words, width)
    if assignment.collision_rows:
        yield from labelled("floor", _floor(assignment), width)


def _numbers(assignment: AssignmentFacts) -> list[str]:
    if not assignment.collision_slots:
        return ["no slot is claimed twice"]
    return [
        f"{many(assignment.collision_slots, 'slot is', 'slots are')} claimed more than once",
        f"{many(assignment.collision_rows, 'row loses', 'rows lose')}",
        f"{many(assignment.boxes_without_slot, 'box wins', 'boxes win')} none",
        f"{count(assignment.class_conflicts)} between classes",
    ]


def _floor(assignment: AssignmentFacts) -> list[str]:
    """What a head pays that answers every slot with its winner."""
    cost = assignment.collision_cost
    if cost is None:
        return ["what they cost stands in the row `perfect` of compute"]
    digits = decimals(cost.values())
    terms = [f"{safe(name)} {fixed(value, digits)}" for name, value in cost.items() if name != "total"]
    return [f"perfect answers still pay {fixed(cost.get('total'), digits)}", *terms]
