"""What is worth a line though nothing is wrong: how unevenly levels and classes train. No findings, so that no gate counts them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from detloss_cli.facts import Facts

HEAVY = 2.0  # times what a positive of the lightest level weighs
MEANS_BY_LEVEL = frozenset({"yolov5", "yolov7", "yolov3-spp"})  # families that add up means, one a level
UNEVEN = 10.0  # times the boxes of the rarest class that has some


@dataclass(frozen=True, slots=True)
class Notable:
    """A line, and the command that shows more."""

    text: str
    more: str


def notable(facts: Facts) -> Iterator[Notable]:
    """Classes before levels: boxes can be added, and how a loss is reduced stays as it is."""
    yield from _classes(facts)
    yield from _levels(facts)


def _classes(facts: Facts) -> Iterator[Notable]:
    if facts.labels is None:
        return
    present = [one for one in facts.labels.classes if one.boxes]
    if len(present) < 2:
        return
    few, many = (chosen(present, key=lambda one: one.boxes) for chosen in (min, max))
    times = many.boxes / few.boxes
    if times >= UNEVEN:
        boxes = "1 box" if few.boxes == 1 else f"{few.boxes:,} boxes"
        yield Notable(f"{few.name} has {boxes}, {many.name} {many.boxes:,} ({times:,.0f}x)", "inspect targets --by class")


def _levels(facts: Facts) -> Iterator[Notable]:
    """Against the first level, as the column of the table has it, or against the lightest one where that alone differs."""
    weighed = [(level.weight_per_positive, level.level) for level in facts.levels or () if level.weight_per_positive]
    if len(weighed) < 2 or facts.settings is None or facts.settings.family not in MEANS_BY_LEVEL:
        return
    (first, name), (least, lightest), (most, heavy) = weighed[0], min(weighed), max(weighed)
    against, light = (first, name) if first > 0 and most / first >= HEAVY else (least, lightest)
    if against > 0 and most / against >= HEAVY:
        yield Notable(f"one positive of {heavy} weighs {most / against:.1f}x one of {light}", "explain level-weight")
