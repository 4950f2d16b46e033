"""What real head outputs answer: slots and background by level, gradients by term, the worst of them by name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import numpy as np
from rich.text import Text

from detloss_cli.facts import LevelFacts
from detloss_cli.facts.heads import AnswerFacts, CellFacts, ConfusionFacts, GradientFacts, HeadFacts, HeadLevelFacts
from detloss_cli.report.grid import Column, Grid, Row
from detloss_cli.report.numbers import NOTHING, count, decimals, fixed, many, percent, trim
from detloss_cli.report.safe import safe
from detloss_cli.report.sections.header import joined

SHOWN = 4  # of the worst of each kind
DUMP = ".safetensors"  # stands for its pictures where their names are not known


def answers_table(head: HeadFacts, levels: Sequence[LevelFacts], width: int) -> Iterator[Text]:
    """A line a level: how well slots are answered, and how much the background claims."""
    strides = {level.level: level.stride for level in levels}
    sure = "objectness" if any("obj" in level.logits for level in head.levels) else "own class"
    columns = (
        Column(_when(head), right=False, style="bold"),
        Column("slots"),
        Column("worst tenth", group="IoU", drop=4, style="dim"),
        Column("median", group="IoU"),
        Column("above .5", group="IoU"),
        Column("worst tenth", group=sure, drop=4, style="dim"),
        Column("median", group=sure),
        Column("best tenth", group=sure, drop=5, style="dim"),
        Column("mean", group="background"),
        Column("most", group="background"),
        Column("above .5", group="background", drop=1),
        Column("told apart"),
        Column("logits to", drop=3, style="dim"),
    )
    rows = tuple(_level(level, strides.get(level.level)) for level in head.levels)
    yield from Grid(columns, rows).lines(width)
    if head.right is not None and head.slots:
        parts = [f"{percent(head.right / head.slots)} of {many(head.slots, 'slot')} answer their own class", *_confused(head.confusion)]
        yield from joined(parts, width, indent=2, style="dim")


def gradients_table(head: HeadFacts, width: int) -> Iterator[Text]:
    """A line a level: the norm of each term's gradient there, and the term that pulls most."""
    if not head.gradients:
        return
    terms = list(dict.fromkeys(one.term for one in head.gradients))
    digits = {term: decimals([one.norm for one in head.gradients if one.term == term]) for term in terms}
    columns = (
        Column("gradient", right=False, style="bold"),
        *(Column(safe(term)) for term in terms),
        Column("driven by", right=False),
    )
    rows = []
    for level in dict.fromkeys(one.level for one in head.gradients):
        own = {one.term: one for one in head.gradients if one.level == level}
        rows.append(Row((safe(level), *(_norm(own.get(term), digits[term]) for term in terms), _driver(list(own.values())))))
    yield from Grid(columns, tuple(rows)).lines(width)


def cells_table(cells: Sequence[CellFacts], width: int) -> Iterator[Text]:
    """The background cells that cost most."""
    if not cells:
        return
    digits = decimals([cell.cost for cell in cells])
    columns = (
        Column("background that costs most", right=False, style="bold"),
        Column("level", right=False),
        Column("row, col", drop=2, style="dim"),
        Column("x, y px"),
        Column("sure"),
        Column("says", right=False, drop=1),
        Column(f"of {cells[0].term}"),
        Column("cost", drop=3, style="dim"),
    )
    rows = tuple(
        Row(
            (
                _picture(cell.picture, cell.image),
                safe(cell.level),
                f"{cell.row}, {cell.col}",
                f"{cell.x:g}, {cell.y:g}",
                _probability(cell.confidence),
                safe(cell.cls),
                percent(cell.share),
                fixed(cell.cost, digits),
            )
        )
        for cell in cells[:SHOWN]
    )
    yield from Grid(columns, rows).lines(width)


def worst_boxes(answers: AnswerFacts, width: int) -> Iterator[Text]:
    """The boxes whose best slot overlaps them least."""
    known = np.flatnonzero(~np.isnan(answers.iou))
    if not len(known):
        return
    worst = known[np.argsort(answers.iou[known], kind="stable")][:SHOWN].tolist()
    columns = (
        Column("boxes answered worst", right=False, style="bold"),
        Column("class", right=False),
        Column("best IoU"),
        Column("sure"),
        Column("taken for", right=False, drop=1),
    )
    rows = tuple(
        Row(
            (
                f"{_name(answers.path[box]).removesuffix(DUMP)}:{answers.line[box]}",
                safe(answers.name[box]),
                _probability(float(answers.iou[box])),
                _probability(float(answers.confidence[box])),
                "" if answers.taken_for[box] == answers.name[box] else safe(answers.taken_for[box]),
            )
        )
        for box in worst
    )
    yield from Grid(columns, rows).lines(width)


def _when(head: HeadFacts) -> str:
    return f"step {head.steps[-1]}" if head.steps else "answers"


def _level(one: HeadLevelFacts, stride: int | None) -> Row:
    iou, sure = one.iou or (None,) * 3, one.confidence or (None,) * 3
    least, most = min((low for low, _ in one.logits.values()), default=0.0), max((high for _, high in one.logits.values()), default=0.0)
    cells: list[str | Text] = [
        safe(one.level) + (f"/{stride}" if stride else ""),
        Text(count(one.slots), style="" if one.slots else "bold yellow"),
        _probability(iou[0]),
        _probability(iou[1]),
        percent(one.iou_above_half),
        _probability(sure[0]),
        _probability(sure[1]),
        _probability(sure[2]),
        _probability(one.background_mean),
        _probability(one.background_most),
        Text(count(one.false_alarms), style="yellow" if one.false_alarms else ""),
        percent(one.separation),
        f"{least:.3g} {most:.3g}",
    ]
    return Row(tuple(cells))


def _confused(confusion: Sequence[ConfusionFacts]) -> list[str]:
    return [f"{safe(one.cls)} taken for {safe(one.taken_for)} {percent(one.count / one.slots)}" for one in confusion[:SHOWN]]


def _norm(one: GradientFacts | None, digits: int) -> str | Text:
    if one is None:
        return NOTHING
    return Text("not finite", style="bold red") if one.not_finite else fixed(one.norm, digits)


def _driver(own: Sequence[GradientFacts]) -> str | Text:
    known = [one for one in own if one.share is not None]
    if not known:
        return Text("nothing", style="yellow")
    first = max(known, key=lambda one: one.share or 0.0)
    return f"{safe(first.term)} {percent(first.share)}"


def _picture(path: str, image: int) -> str:
    return f"{_name(path).removesuffix(DUMP)} image {image}" if path.endswith(DUMP) else _name(path)


def _name(path: str) -> str:
    return safe(os.path.basename(path.replace("\\", "/")) or path)


def _probability(value: float | None) -> str:
    """`.62`, `.0017`: two digits that count."""
    if value is None:
        return NOTHING
    return trim(f"{value:.2f}") if value >= 0.095 or value == 0 else trim(f"{value:.4f}") if value >= 0.00005 else "<.0001"
