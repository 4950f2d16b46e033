"""Where each term of real head outputs stands between its marks, and over the steps of a run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from rich.text import Text

from detloss_cli.facts import LossFacts
from detloss_cli.facts.heads import CHECKPOINT, DumpFacts, HeadFacts, ReachedFacts
from detloss_cli.report.grid import Column, Grid, Row
from detloss_cli.report.numbers import NOTHING, decimals, fixed, many, percent
from detloss_cli.report.safe import safe
from detloss_cli.report.sections.header import joined
from detloss_cli.report.sections.run import sparkline

BAR = 12  # cells of the way from step 0 to the floor
MARKS = ("prior", "base_rate", "perfect")


def standing_table(loss: LossFacts | None, dumps: Sequence[DumpFacts], head: HeadFacts, width: int) -> Iterator[Text]:
    """A line a term: step 0, base rate, floor, where it stands, and how much of the way lies behind it.

    Over several steps of a training: first and last value and the course, a line a level below each term.
    """
    if loss is None or any(mark not in loss.marks for mark in MARKS):
        return
    steps = [one for one in dumps if one.trigger != CHECKPOINT]
    course = len({one.step for one in steps}) > 1
    names = [name for name in loss.totals if name != "total"]
    marks = Column("step 0", group="marks"), Column("base rate", group="marks"), Column("floor", group="marks")
    if course:
        ends = Column("first", group="recorded"), Column("last", group="recorded")
        columns = (Column("run", right=False, style="bold"), *marks, *ends, Column("of the way", drop=2), Column(
            many(len(steps), "step"), right=False, drop=1, style="cyan"))  # fmt: skip
        rows = [row for name in names for row in _course(name, loss, steps)]
    else:
        columns = (Column("stands", right=False, style="bold"), *marks, Column("now"), Column("of the way"), Column("", right=False, drop=1,
            style="cyan"), Column("", right=False))  # fmt: skip
        rows = [_now(name, loss) for name in names]
    yield from Grid(columns, tuple(rows)).lines(width)
    if head.objectness is not None:
        yield from joined(_reached(head.objectness), width, indent=2, style="dim")


def _reached(found: ReachedFacts) -> list[str | Text]:
    """Objectness at the overlaps of now: its targets grow with them, so that its marks, taken from a fresh head, are left behind."""
    digits = decimals([found.value, found.constant, found.floor])
    value, constant, floor = (fixed(number, digits) for number in (found.value, found.constant, found.floor))
    way = (found.constant - found.value) / (found.constant - found.floor) if found.constant > found.floor else None
    said: list[str | Text] = [f"obj at these overlaps: constant {constant}", f"now {value}", f"floor {floor}"]
    if way is None:  # nothing has an overlap, so that a constant is as good as it gets
        return said
    return [*said, Text("no better than a constant", style="bold yellow") if way <= 0 else f"{_percent(way)} of the way"]


def _now(name: str, loss: LossFacts) -> Row:
    marks, value = _marks(name, loss), loss.totals[name]
    digits = decimals([*marks, value])
    way = _way(marks, value)
    filled = round(BAR * min(max(way or 0.0, 0.0), 1.0))
    bar = "" if way is None else "█" * filled + "░" * (BAR - filled)
    return Row((safe(name), *(fixed(mark, digits) for mark in marks), fixed(value, digits), _percent(way), bar, _words(marks, value)))


def _course(name: str, loss: LossFacts, steps: Sequence[DumpFacts]) -> Iterator[Row]:
    marks, values = _marks(name, loss), [one.totals.get(name) for one in steps]
    digits = decimals([*marks, *values])
    last = values[-1]
    way = _percent(_way(marks, last)) if last is not None else NOTHING
    ends = fixed(values[0], digits), fixed(last, digits)
    yield Row((safe(name), *(fixed(mark, digits) for mark in marks), *ends, way, sparkline([_finite(value) for value in values])))
    levels = list(dict.fromkeys(term.level for one in steps for term in one.terms if term.term == name and term.level is not None))
    for level in levels if len(levels) > 1 else ():
        found = [next((term.value for term in one.terms if (term.term, term.level) == (name, level)), None) for one in steps]
        own = fixed(found[0], digits), fixed(found[-1], digits)
        yield Row((f"  {safe(level)}", "", "", "", *own, "", sparkline([_finite(value) for value in found])), style="dim")


def _marks(name: str, loss: LossFacts) -> tuple[float, float, float]:
    step_0, base_rate, floor = (loss.marks[mark].get(name, 0.0) for mark in MARKS)
    return step_0, base_rate, floor


def _way(marks: tuple[float, float, float], value: float) -> float | None:
    """Share of the way from step 0 to the floor that lies behind a term; below 0 above step 0."""
    step_0, _, floor = marks
    return (step_0 - value) / (step_0 - floor) if step_0 > floor and math.isfinite(value) else None


def _words(marks: tuple[float, float, float], value: float) -> Text:
    step_0, base_rate, _ = marks
    if value > step_0:
        return Text("above step 0", style="yellow")
    if base_rate < step_0:
        return Text("below the base rate" if value < base_rate else "above the base rate", style="" if value < base_rate else "yellow")
    return Text("below step 0" if value < step_0 else "at step 0", style="dim")


def _percent(way: float | None) -> str:
    return NOTHING if way is None else percent(way) if way >= 0 else f"{100 * way:.0f} %"


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
