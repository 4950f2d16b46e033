"""More than one data set or loader, or one by its parts: what `inspect labels` shows side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.text import Text

from detloss_cli.facts.labels import ClassTable, GroupFacts, LoaderFacts, SetFacts, SurveyFacts
from detloss_cli.report.grid import Column, Grid, Row
from detloss_cli.report.numbers import count
from detloss_cli.report.safe import safe

MOST_ROWS = 40
LONGEST = 40


def survey_tables(survey: SurveyFacts, width: int) -> Iterator[Text]:
    """Data sets, loaders, groups, then names by id; those that there are."""
    blocks = (
        _sets(survey.sets, width),
        _loaders(survey.loaders, width),
        _groups(survey.by or "", survey.groups, width),
        _classes(survey.classes, width) if survey.classes is not None else iter(()),
    )
    for number, lines in enumerate(lines for block in blocks if (lines := list(block))):
        yield from [Text("")] if number else []
        yield from lines


def worst_table(rows: Sequence[Mapping[str, Any]], width: int) -> Iterator[Text]:
    """Pictures with the most findings, and the rule that each breaks most often."""
    if not rows:
        return
    columns = (
        Column("picture", right=False, style="bold"),
        Column("errors", style="red"),
        Column("warnings", style="yellow"),
        Column("infos"),
        Column("most of all", right=False, drop=1),
    )
    table = [
        Row((_end(one["path"]), *(_lost(one[key]) for key in ("errors", "warnings", "infos")), safe(next(iter(one["by_rule"]), ""))))
        for one in rows
    ]
    yield Text("")
    yield from Grid(columns, tuple(table)).lines(width)


def _sets(sets: Sequence[SetFacts], width: int) -> Iterator[Text]:
    if not sets:
        return
    columns = (
        Column("data set", right=False, style="bold"),
        *(Column(head) for head in ("images", "rows", "kept", "lost")),
        Column("names"),
        Column("ids beyond", style="yellow"),
    )
    rows = [
        Row((_end(one.path), count(one.images), count(one.rows), count(one.kept), _lost(one.lost), _named(one), _lost(one.beyond)))
        for one in sets
    ]
    yield from Grid(columns, tuple(rows)).lines(width)


def _named(one: SetFacts) -> str:
    return count(one.num_classes) if one.names_source in ("names", "option") else f"({one.names_source}) {one.num_classes}"


def _loaders(loaders: Sequence[LoaderFacts], width: int) -> Iterator[Text]:
    """Loaders that make the same of the rows together, with the rules that cost them below."""
    if not loaders:
        return
    columns = (
        Column("loader", right=False, style="bold"),
        Column("kept"),
        Column("lost"),
        Column("images lost"),
        Column("misread", drop=1),
        Column("stops", drop=2),
    )
    together: dict[tuple[object, ...], list[LoaderFacts]] = {}
    for one in loaders:
        outcome = (one.kept, one.lost, one.images, tuple(sorted(one.by_rule.items())), one.misread, one.stops)
        together.setdefault(outcome, []).append(one)
    rows: list[Row] = []
    for own in together.values():
        first = own[0]
        figures = (count(first.kept), *(_lost(number) for number in (first.lost, first.images, first.misread, first.stops)))
        rows.extend(Row((one.loader, *figures)) for one in own)
        worst = sorted(first.by_rule.items(), key=lambda item: (-item[1], item[0]))
        rows.extend(Row((f"  {safe(rule)}", "", count(number), "", "", ""), style="dim") for rule, number in worst)
    yield from Grid(columns, tuple(rows)).lines(width)
    if len(together) == 1 and len(loaders) > 1:
        yield Text("all loaders keep the same rows", style="green")


def _groups(by: str, groups: Sequence[GroupFacts], width: int) -> Iterator[Text]:
    if not groups:
        return
    columns = (
        Column(by, right=False, style="bold"),
        *(Column(head) for head in ("images", "empty", "rows", "kept", "lost")),
        Column("ids beyond", style="yellow"),
        Column("errors", style="red"),
    )
    rows = [
        Row(
            (
                _end(one.name),
                *(count(number) for number in (one.images, one.background, one.rows, one.kept)),
                *(_lost(number) for number in (one.lost, one.beyond, one.errors)),
            )
        )
        for one in groups[:MOST_ROWS]
    ]
    yield from Grid(columns, tuple(rows)).lines(width)
    yield from _rest(len(groups))


def _classes(table: ClassTable, width: int) -> Iterator[Text]:
    """Name and boxes a column; the name once where all columns agree. Rows that do not agree are yellow."""
    share = (width - 6) // max(1, len(table.columns)) - 12
    same = all(len(set(row.names)) == 1 for row in table.rows)
    columns = [Column("id"), *([Column("class", right=False, style="bold")] if same else [])]
    for name in table.columns:
        short = _cut_front(safe(name), max(8, share))
        columns += [Column(short)] if same else [Column(short, right=False), Column("boxes")]
    rows = []
    for row in table.rows[:MOST_ROWS]:
        cells: list[str] = [str(row.id)] + ([_cut(safe(row.names[0] or "-"), 32)] if same else [])
        for own, boxes in zip(row.names, row.boxes, strict=True):
            cells += [_lost(boxes)] if same else [_cut(safe(own or "-"), max(8, share)), _lost(boxes)]
        rows.append(Row(tuple(cells), style="" if same or _agree(row.names) else "yellow"))
    yield from Grid(tuple(columns), tuple(rows)).lines(width)
    yield from _rest(len(table.rows))


def _agree(names: Sequence[str | None]) -> bool:
    return len([name for name, _ in groupby(names)]) == 1


def _rest(number: int) -> Iterator[Text]:
    if number > MOST_ROWS:
        yield Text(f"and {count(number - MOST_ROWS)} more: --format json lists them", style="dim")


def _lost(number: int) -> str:
    return count(number) if number else "-"


def _end(path: str) -> str:
    return _cut_front(safe(path), LONGEST)


def _cut_front(text: str, most: int) -> str:
    """The end of a path says more than its beginning."""
    return text if len(text) <= most else "..." + text[3 - most :]


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
