"""One or two settings at several values: first of all the share of boxes without positives."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from rich.text import Text

from detloss_cli.facts.sweep import SweepFacts, SweepPoint
from detloss_cli.report.grid import Column, Grid, Row
from detloss_cli.report.numbers import NOTHING, count, decimals, fixed, percent, trim
from detloss_cli.report.safe import safe

LONGEST = 28
WORST = 0.01  # share of boxes without positives from which a row is marked


def sweep_table(facts: SweepFacts, width: int) -> Iterator[Text]:
    """A row a value, or with two keys a row a value of the first and a column a value of the second."""
    if len(facts.keys) == 1:
        yield from Grid(_columns(facts), tuple(_row(facts, point) for point in facts.points)).lines(width)
    else:
        yield from _matrix(facts, width)
    yield Text("> as it is set now", style="dim")
    asking = _by_head(facts)
    if asking:
        told = f"positives go by what a synthetic head says: {', '.join(asking)}"
        yield from (Text(line, style="dim") for line in textwrap.wrap(told, max(20, width)))


def _by_head(facts: SweepFacts) -> list[str]:
    """Values whose assignment asks what the head says: of the key that decides it, the last one if both do."""
    for place in reversed(range(len(facts.keys))):
        told: dict[str, set[bool]] = {}
        for point in facts.points:
            told.setdefault(point.values[place], set()).add(point.by_head)
        if all(len(asks) == 1 for asks in told.values()):
            return [_short(value) for value, asks in told.items() if asks == {True}]
    return ["some of them"]


def _columns(facts: SweepFacts) -> tuple[Column, ...]:
    none = "no positives"  # no longer than the two columns below it
    plain = [
        Column(""),
        Column(safe(facts.keys[0]), right=_numbers(facts), style="bold"),
        Column("boxes", group=none),
        Column("share", group=none, style="bold"),
        Column("lost", group="rows", drop=0 if len({point.lost for point in facts.points}) > 1 else 4),
        Column("positives"),
        Column("a box", drop=2),
        Column("BPR", drop=3),
    ]
    levels = [Column(safe(name), group="positives", drop=5) for name in _levels(facts)]
    return (*plain, *levels, *(Column(safe(term), group="weighted loss", drop=0 if term == "total" else 1) for term in _terms(facts)))


def _numbers(facts: SweepFacts) -> bool:
    return all(point.values[0].replace(".", "", 1).isdecimal() for point in facts.points)


def _levels(facts: SweepFacts) -> list[str]:
    """Every level of any point, fine to coarse."""
    return sorted(dict.fromkeys(name for point in facts.points for name in point.levels), key=lambda name: (len(name), name))


def _terms(facts: SweepFacts) -> list[str]:
    """Every term of any point, the total last."""
    names = dict.fromkeys(name for point in facts.points for name in point.totals or {})
    return [*(name for name in names if name != "total"), *(["total"] if "total" in names else [])]


def _row(facts: SweepFacts, point: SweepPoint) -> Row:
    mark = Text(">", style="bold cyan") if point.present else ""
    name = _short(point.values[0])
    if point.error is not None:
        columns = len(_columns(facts))
        return Row((mark, name, *[NOTHING] * (columns - 2)), Text(safe(point.error), style="dim"), keep_tail=True)
    digits = decimals([value for one in facts.points for value in (one.totals or {}).values()])
    totals = [fixed((point.totals or {}).get(term), digits) for term in _terms(facts)]
    levels = [count(point.levels[name]) if name in point.levels else NOTHING for name in _levels(facts)]
    cells = (
        mark,
        name,
        count(point.unassigned or 0),
        _share(point),
        count(point.lost or 0),
        count(point.positives or 0),
        trim(f"{point.per_box or 0:.1f}"),
        NOTHING if point.best_possible_recall is None else trim(f"{point.best_possible_recall:.4f}"),
    )
    return Row((*cells, *levels, *totals), style="")


def _share(point: SweepPoint) -> Text:
    return Text(percent(point.share), style="bold yellow" if (point.share or 0) >= WORST else "")


def _matrix(facts: SweepFacts, width: int) -> Iterator[Text]:
    """Boxes without positives, and the loss where there is one; of the columns as many as fit, and the others below them."""
    rows = list(dict.fromkeys(point.values[0] for point in facts.points))
    names = list(dict.fromkeys(point.values[1] for point in facts.points))
    at = {point.values: point for point in facts.points}
    digits = decimals([(point.totals or {}).get("total") for point in facts.points])
    blocks = [("boxes without positives", _share)]
    if any(point.totals for point in facts.points):
        blocks.append(("total loss", lambda point: Text(fixed((point.totals or {}).get("total"), digits))))
    first = max(len(facts.keys[0]), *(len(_short(name)) for name in rows))
    for number, (title, cell) in enumerate(blocks):
        if number:
            yield Text("")
        for start, stop in _fitting([len(_short(name)) + 2 for name in names], width - first):
            columns = (
                Column(safe(facts.keys[0]), right=False, style="bold"),
                *(Column(_short(name), group=f"{title} by {safe(facts.keys[1])}") for name in names[start:stop]),
            )
            yield from Grid(
                columns,
                tuple(Row((_short(name), *(_cell(at[name, other], cell) for other in names[start:stop]))) for name in rows),
            ).lines(width)
    for message in dict.fromkeys(point.error for point in facts.points if point.error):
        yield Text(f"- {safe(message)}", style="dim")


def _cell(point: SweepPoint, cell: object) -> Text:
    if point.error is not None:
        return Text(NOTHING)
    text = cell(point) if callable(cell) else Text("")
    return Text("> ", style="bold cyan").append_text(text) if point.present else text


def _fitting(sizes: list[int], width: int) -> Iterator[tuple[int, int]]:
    """Columns in runs that fit, at least one each; a cell with a mark takes ten."""
    start = 0
    while start < len(sizes):
        stop, used = start + 1, max(12, sizes[start])
        while stop < len(sizes) and used + max(12, sizes[stop]) <= width:
            used += max(12, sizes[stop])
            stop += 1
        yield start, stop
        start = stop


def _short(name: str) -> str:
    shown = safe(name.replace("\\", "/").rstrip("/").split("/")[-1])
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"
