"""Levels by terms: positives, shares and weighted loss, with the totals of the run and of the synthetic heads below."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from rich.text import Text

from detloss_cli.facts import AssignmentFacts, Facts, LevelFacts, LossFacts, TermFacts
from detloss_cli.report.grid import Column, Grid, Row
from detloss_cli.report.numbers import NOTHING, count, decimals, fixed, percent, short, times, trim
from detloss_cli.report.safe import safe
from detloss_cli.report.sections.batch_shapes import grid_and_cells, shapes_of

MARKS = {"prior": "step 0", "base-rate": "base rate", "perfect": "perfect"}
MEANING = {"prior": "a fresh head", "base-rate": "constant", "perfect": "these targets"}
# Columns that a share of the positives takes.
SHARE = 4
# Order in which columns leave a narrow terminal; 0 stays.
CELLS, GRID, TARGET, BALANCE, RAW, WEIGHT, A_BOX = 7, 6, 5, 4, 3, 2, 1


def level_table(facts: Facts, width: int) -> Iterator[Text]:
    """Nothing where there are neither levels nor terms."""
    levels, loss = facts.levels or (), facts.loss
    if not levels and loss is None:
        return
    names = term_names(loss)
    rows = _by_level(levels, loss)
    digits = _digits(loss, names)
    columns = _columns(names, rows, loss, len(shapes_of(facts)) > 1)
    body = [_row(name, level, terms, names, facts, digits, columns) for name, level, terms in rows]
    if loss is not None:
        body += _totals(facts, loss, names, digits, columns)
    elif facts.assignment is not None and len(body) > 1:
        body.append(_counts(facts.assignment, columns))
    yield from Grid(tuple(column for _, column in columns), tuple(body)).lines(width)


def term_names(loss: LossFacts | None) -> tuple[str, ...]:
    """Terms in the family's order."""
    return tuple(dict.fromkeys(term.name for term in loss.terms)) if loss is not None else ()


def _by_level(levels: Sequence[LevelFacts], loss: LossFacts | None) -> list[tuple[str, LevelFacts | None, list[TermFacts]]]:
    """Rows of the table. Terms without a level belong to the only level, or to a row of their own."""
    terms = loss.terms if loss is not None else ()
    rows: list[tuple[str, LevelFacts | None, list[TermFacts]]] = []
    for level in levels:
        own = [term for term in terms if term.level == level.level or (term.level is None and len(levels) == 1)]
        rows.append((f"{level.level}/{level.stride}", level, own))
    known = {level.level for level in levels}
    for name in dict.fromkeys(term.level for term in terms if term.level is not None and term.level not in known):
        rows.append((name, None, [term for term in terms if term.level == name]))
    if len(levels) != 1 and any(term.level is None for term in terms):
        rows.append(("all", None, [term for term in terms if term.level is None]))
    return rows


def _digits(loss: LossFacts | None, names: Sequence[str]) -> dict[str, int]:
    """Digits after the point of each column, by its largest number: a small term beside a large one keeps its own."""
    if loss is None:
        return {}
    every = [loss.totals, *loss.marks.values(), *loss.what_if.values()]
    digits = {f"value {name}": decimals([totals.get(name) for totals in every]) for name in names}
    digits |= {f"raw {name}": decimals([term.raw for term in loss.terms if term.name == name]) for name in names}
    return digits | {"sum": decimals([totals.get("total") for totals in every])}


def _columns(
    names: Sequence[str], rows: Sequence[tuple[str, LevelFacts | None, list[TermFacts]]], loss: LossFacts | None, several: bool
) -> list[tuple[str, Column]]:
    """(key, column) in the order of the screen. several: batches differ in their input shape."""
    levels = [level for _, level, _ in rows if level is not None]
    columns = [("level", Column("level", right=False, style="bold"))]
    if loss is not None:
        columns.append(("share", Column("share", style="cyan")))
    columns += [("positives", Column("positives")), ("a box", Column("a box", drop=A_BOX if loss is not None else 0))]
    if loss is not None:
        columns += [(f"value {name}", Column(safe(name), group="weighted loss")) for name in names]
        columns.append(("sum", Column("sum", group="weighted loss")))
    if any(level.weight_per_positive is not None for level in levels) and len(levels) > 1:
        columns.append(("weight", Column("one weighs", drop=WEIGHT)))
    if loss is not None:
        columns += [(f"raw {name}", Column(safe(name), group="before gains", drop=RAW, style="dim")) for name in names]
    if any(level.balance is not None for level in levels):
        columns.append(("balance", Column("balance", drop=BALANCE, style="dim")))
    if any(level.obj_target_mean is not None for level in levels):
        columns.append(("target", Column("obj target", drop=TARGET, style="dim")))
    if levels:
        last = loss is not None
        columns += [
            ("grid", Column("grid", drop=GRID if last else 0, style="dim")),
            ("cells", Column("mean cells" if several else "cells", drop=CELLS if last else 0, style="dim")),
        ]
    if loss is None:
        columns.append(("matched", Column("boxes", drop=1)))
    return columns


def _row(
    name: str,
    level: LevelFacts | None,
    terms: Sequence[TermFacts],
    names: Sequence[str],
    facts: Facts,
    digits: Mapping[str, int],
    columns: Sequence[tuple[str, Column]],
) -> Row:
    cells: dict[str, str | Text] = {"level": safe(name)}
    if terms:
        shares = [term.share for term in terms]
        cells["share"] = percent(math.fsum(s for s in shares if s is not None)) if None not in shares else NOTHING
        cells["sum"] = _value(sum(term.value for term in terms), digits["sum"])
    for term in terms:
        cells[f"value {term.name}"] = _value(term.value, digits[f"value {term.name}"])
        cells[f"raw {term.name}"] = fixed(term.raw, digits[f"raw {term.name}"])
    if level is not None:
        whole = facts.assignment
        share = percent(level.positives / whole.positives) if whole is not None and whole.positives else ""
        cells["positives"] = Text(f"{count(level.positives)} {share.rjust(SHARE)}", style="" if level.positives else "bold yellow")
        cells["a box"] = trim(f"{level.positives / whole.boxes:.1f}") if whole is not None and whole.boxes else NOTHING
        cells["weight"] = times(level.weight_per_positive)
        cells["balance"] = fixed(level.balance, 2)
        cells["target"] = fixed(level.obj_target_mean, 3)
        cells["grid"], cells["cells"] = grid_and_cells(level, shapes_of(facts))
        cells["matched"] = count(level.boxes_matched)
    return Row(tuple(cells.get(key, NOTHING) for key, _ in columns))


def _totals(
    facts: Facts, loss: LossFacts, names: Sequence[str], digits: Mapping[str, int], columns: Sequence[tuple[str, Column]]
) -> Iterator[Row]:
    """The run's own line with the batch factor, then the synthetic heads that it is not."""
    settings = facts.settings
    head = "your head" if settings is not None and settings.preds else (settings.head if settings is not None else None) or "total"
    yield _total_row(MARKS.get(head, head), loss.totals, names, digits, columns, facts.assignment, tail=_batch(loss), style="bold")
    for mark, title in MARKS.items():
        totals = loss.marks.get(mark) or loss.marks.get(mark.replace("-", "_"))
        if totals is not None and mark != head:
            yield _total_row(title, totals, names, digits, columns, None, tail=Text(_meaning(mark, loss), style="dim"), style="dim")
    for kind, totals in loss.what_if.items():
        yield _total_row(safe(kind), totals, names, digits, columns, None, tail=Text("what if", style="dim"), style="cyan")


def _meaning(mark: str, loss: LossFacts) -> str:
    """What a mark stands for; the base rate of objectness rests on the overlap that positives are taken to have."""
    overlap = loss.notes.get("base_rate_overlap") if mark == "base-rate" else None
    return MEANING[mark] if overlap is None else f"{MEANING[mark]}, IoU {trim(f'{overlap:.2f}')}"


def _batch(loss: LossFacts) -> Text:
    if loss.batch_factor == 1:
        return Text("", style="bold")
    product = short(float(f"{loss.totals['total'] * loss.batch_factor:.4g}"))
    return Text(f"x batch {loss.batch_factor:g} = {product}", style="bold")


def _total_row(
    title: str,
    totals: Mapping[str, float],
    names: Sequence[str],
    digits: Mapping[str, int],
    columns: Sequence[tuple[str, Column]],
    assignment: AssignmentFacts | None,
    *,
    tail: Text,
    style: str,
) -> Row:
    cells: dict[str, str | Text | None] = {"level": title, "share": None}
    for name in names:
        cells[f"value {name}"] = _value(totals.get(name), digits[f"value {name}"])
    cells["sum"] = _value(totals.get("total"), digits["sum"])
    if assignment is not None:
        cells["positives"] = count(assignment.positives) + " " * (SHARE + 1)
        cells["a box"] = trim(f"{assignment.per_box_mean:.1f}")
    return Row(tuple(cells.get(key, "") for key, _ in columns), tail=tail, keep_tail=assignment is not None, style=style)


def _counts(assignment: AssignmentFacts, columns: Sequence[tuple[str, Column]]) -> Row:
    cells = {
        "level": "all",
        "positives": count(assignment.positives) + " " * (SHARE + 1),
        "a box": trim(f"{assignment.per_box_mean:.1f}"),
    }
    return Row(tuple(cells.get(key, "") for key, _ in columns), style="bold")


def _value(number: float | None, digits: int) -> str | Text:
    """A number that is none stands out."""
    return Text(str(number), style="bold red") if number is not None and not math.isfinite(number) else fixed(number, digits)
