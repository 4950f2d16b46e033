"""What the label files hold: classes, sizes, and the rows that the loader does not keep."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from detloss_cli.facts import LabelFacts
from detloss_cli.report.grid import Column, Grid, Row
from detloss_cli.report.numbers import count, percent
from detloss_cli.report.safe import safe

MOST_CLASSES = 30


def labels_tables(labels: LabelFacts, width: int) -> Iterator[Text]:
    """Counts, then classes, then what is lost."""
    yield from _files(labels, width)
    if labels.classes:
        yield Text("")
        yield from _classes(labels, width)
    if labels.lost.by_rule:
        yield Text("")
        yield from _lost(labels, width)


def _files(labels: LabelFacts, width: int) -> Iterator[Text]:
    images = [("labelled", labels.labelled), ("background", labels.background), ("skipped", labels.skipped)]
    rows = [("kept", labels.kept), ("lost", labels.lost.rows)]
    sizes = [*labels.sizes.items()]
    for name, whole, parts in (("images", labels.images, images), ("rows", labels.rows, rows), ("boxes", labels.boxes, sizes)):
        line = Text(f"{name:<8}", style="bold").append(f"{count(whole):>11}", style="default")
        if parts:
            line.append("  = " + " + ".join(f"{count(number)} {safe(part)}" for part, number in parts), style="not bold default")
        if name == "images" and labels.missing:
            line.append(f"  ({count(labels.missing)} without a label file)", style="not bold dim")
        if name == "boxes" and labels.sizes:
            line.append("  (< 32 px, < 96 px, above)", style="not bold dim")
        yield line


def _classes(labels: LabelFacts, width: int) -> Iterator[Text]:
    """Classes in the order of their ids, with a bar of the share."""
    whole = sum(one.boxes for one in labels.classes)
    most = max((one.boxes for one in labels.classes), default=0)
    columns = (
        Column("id"),
        Column("class", right=False, style="bold"),
        Column("boxes"),
        Column("share", style="cyan"),
        Column("images"),
        Column("", right=False, drop=1),
    )
    rows = []
    for one in labels.classes[:MOST_CLASSES]:
        bar = Text("▇" * round(20 * one.boxes / most) if most else "", style="cyan")
        boxes = Text(count(one.boxes), style="" if one.boxes else "yellow")
        rows.append(
            Row((str(one.id), _cut(safe(one.name), 32), boxes, percent(one.boxes / whole if whole else None), count(one.images), bar))
        )
    rest = labels.classes[MOST_CLASSES:]
    if rest:
        number = sum(one.boxes for one in rest)
        name = f"{count(len(rest))} more classes"
        rows.append(Row(("", name, count(number), percent(number / whole if whole else None), "", ""), style="dim"))
    yield from Grid(columns, tuple(rows)).lines(width)


def _lost(labels: LabelFacts, width: int) -> Iterator[Text]:
    columns = (Column("lost by rule", right=False, style="bold"), Column("rows"))
    worst = sorted(labels.lost.by_rule.items(), key=lambda item: (-item[1], item[0]))
    yield from Grid(columns, tuple(Row((safe(rule), count(number))) for rule, number in worst)).lines(width)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
