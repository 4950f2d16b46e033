"""The boxes of a run by group: what each adds to the loss, how many positives it gets, who gets none."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from rich.text import Text

from detloss_cli.facts import Facts
from detloss_cli.facts.box_groups import BoxGroup, BoxGroups
from detloss_cli.report.grid import GAP, Column, Grid, Row
from detloss_cli.report.numbers import NOTHING, count, decimals, fixed, percent, times, trim
from detloss_cli.report.safe import safe

EMPTY, ALL = "empty cells", "all"
MANY = 1000  # images or boxes of which none has a share to speak of
MOST_DIGITS = 9
DOTS = "..."
LEAST = 12  # columns that a name has at least
# Order in which columns leave a narrow terminal; 0 stays.
IMAGES, TERM, A_BOX, CLASS = 4, 3, 2, 1


def box_groups_table(facts: Facts, width: int) -> Iterator[Text]:
    """Nothing where no group was asked for."""
    groups = facts.groups
    if groups is None:
        return
    terms = tuple(dict.fromkeys(term.name for term in facts.loss.terms)) if facts.loss is not None else ()
    totals = facts.loss.totals if facts.loss is not None else {}
    columns = _columns(groups, terms)
    digits = {name: max(decimals([totals.get(name)]), _needed(groups, name)) for name in (*terms, "total")}
    mean = _mean(groups) if _several(groups) else None
    rest = [groups.rest] if groups.rest is not None else []
    rows = [_row(group, totals, digits, columns, mean=mean) for group in groups.rows]
    rows += [_row(group, totals, digits, columns, style="dim") for group in rest]
    if groups.empty_cells:
        rows.append(_loss_row(EMPTY, groups.empty_cells, totals, digits, columns, "dim"))
    if totals and (groups.by != "level" or len(groups.rows) > 1):
        rows.append(_all_row(facts, totals, digits, columns))
    grid = Grid(tuple(column for _, column in columns), tuple(rows))
    room = width - sum(size + GAP for size, column in zip(grid.widths()[1:], grid.columns[1:], strict=True) if not column.drop)
    yield from replace(grid, rows=tuple(_cut(row, max(LEAST, room)) for row in rows)).lines(width)


def _columns(groups: BoxGroups, terms: Sequence[str]) -> list[tuple[str, Column]]:
    """(key, column) in the order of the screen."""
    columns = [("name", Column(groups.by, right=False, style="bold"))]
    if groups.by == "box":
        columns.append(("class", Column("class", right=False, drop=CLASS)))
    columns += [("mean", Column("x mean", style="cyan")) if _several(groups) else ("share", Column("share", style="cyan"))] if terms else []
    if groups.by != "box":
        columns += [("images", Column("images", drop=IMAGES))] if groups.by != "image" else []
        columns.append(("boxes", Column("boxes")))
    columns.append(("positives", Column("positives")))
    if groups.by != "box":
        columns.append(("a box", Column("a box", drop=A_BOX)))
        columns += [("without", Column("none", style="yellow"))] if groups.by != "level" else []
    columns.append(("px", Column("px" if groups.by == "box" else "median px")))
    columns += [(f"value {name}", Column(safe(name), drop=TERM, style="dim")) for name in terms]
    return [*columns, ("sum", Column("loss"))] if terms else columns


def _row(
    group: BoxGroup,
    totals: Mapping[str, float],
    digits: Mapping[str, int],
    columns: Sequence[tuple[str, Column]],
    style: str = "",
    mean: float | None = None,
) -> Row:
    cells: dict[str, str | Text] = {
        "mean": times(_whole(group.loss) / mean) if mean else NOTHING,
        "name": safe(group.name),
        "class": safe(group.cls or ""),
        "images": count(group.images),
        "boxes": count(group.boxes),
        "positives": count(group.positives),
        "a box": trim(f"{group.positives / group.boxes:.1f}") if group.boxes else NOTHING,
        "without": count(group.without) if group.without else NOTHING,
        "px": f"{group.median_px:.0f}" if group.median_px is not None else NOTHING,
    }
    cells |= _loss(group.loss, totals, digits)
    return Row(tuple(cells.get(key, NOTHING) for key, _ in columns), style=style)


def _loss_row(
    name: str,
    loss: Mapping[str, float],
    totals: Mapping[str, float],
    digits: Mapping[str, int],
    columns: Sequence[tuple[str, Column]],
    style: str,
) -> Row:
    cells: dict[str, str | Text] = {"name": name, **_loss(loss, totals, digits)}
    return Row(tuple(cells.get(key, "") for key, _ in columns), style=style)


def _all_row(facts: Facts, totals: Mapping[str, float], digits: Mapping[str, int], columns: Sequence[tuple[str, Column]]) -> Row:
    cells: dict[str, str | Text] = {"name": ALL, **_loss({key: totals[key] for key in totals if key != "total"}, totals, digits)}
    if facts.assignment is not None:
        cells["boxes"] = count(facts.assignment.boxes)
        cells["positives"] = count(facts.assignment.positives)
        cells["a box"] = trim(f"{facts.assignment.per_box_mean:.1f}")
        cells["without"] = count(facts.assignment.unassigned) if facts.assignment.unassigned else NOTHING
    return Row(tuple(cells.get(key, "") for key, _ in columns), style="bold")


def _loss(loss: Mapping[str, float], totals: Mapping[str, float], digits: Mapping[str, int]) -> dict[str, str | Text]:
    """A cell a term, their sum and its share of the total; what is no number stands out."""
    if not loss:
        return {}
    cells = {f"value {name}": _value(value, digits.get(name, 4)) for name, value in loss.items()}
    whole = _whole(loss)
    total = totals.get("total", math.nan)
    share = percent(whole / total) if total and math.isfinite(total) else NOTHING
    return {**cells, "sum": _value(whole, digits["total"]), "share": share}


def _whole(loss: Mapping[str, float]) -> float:
    values = list(loss.values())
    return math.fsum(values) if all(map(math.isfinite, values)) else math.nan


def _several(groups: BoxGroups) -> bool:
    """Whether a share of the loss would be next to nothing for each: then it is held against the mean of all."""
    return groups.by in ("image", "box") and groups.number >= MANY


def _mean(groups: BoxGroups) -> float:
    every = [*groups.rows, *([groups.rest] if groups.rest is not None else [])]
    return math.fsum(_whole(group.loss) for group in every) / max(1, groups.number)


def _needed(groups: BoxGroups, name: str) -> int:
    """Digits after the point with which the largest row of a term, or of all, keeps two that count."""
    values = [_whole(group.loss) if name == "total" else group.loss.get(name, 0.0) for group in groups.rows]
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    return min(MOST_DIGITS, 1 - math.floor(math.log10(largest))) if largest > 0 else 0


def _value(number: float, digits: int) -> str | Text:
    return fixed(round(number, digits) + 0.0, digits) if math.isfinite(number) else Text(str(number), style="bold red")


def _cut(row: Row, most: int) -> Row:
    """Without its folders first; of a file's name that is too long itself, exports give the end to a hash: its middle goes."""
    name = str(row.cells[0])
    if len(name) <= most:
        return row
    file = name[name.rfind("/") + 1 :]
    kept = most - len(DOTS)
    shown = (
        DOTS + name[-kept:] if len(file) <= kept else file if len(file) <= most else file[: kept - kept // 2] + DOTS + file[-(kept // 2) :]
    )
    return replace(row, cells=(shown, *row.cells[1:]))
