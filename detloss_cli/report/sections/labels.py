"""What the label files hold: classes, sizes, and the rows that the loader does not keep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from detloss_cli.facts import LabelFacts
from detloss_cli.report.grid import Column, Grid, Row
from detloss_cli.report.numbers import count, percent
from detloss_cli.report.safe import safe

MOST_CLASSES = 30


def labels_tables(labels: LabelFacts, width: int, *, classes: bool = True) -> Iterator[Text]:
    """Counts, then classes unless another table has them, then what is lost."""
    if not labels.images and not labels.rows:
        return
    yield from _files(labels, width)
    if labels.classes and classes:
        yield Text("")
        yield from _classes(labels, width)
    if labels.lost.by_rule:
        yield Text("")
        yield from _lost(labels, width)


def _files(labels: LabelFacts, width: int) -> Iterator[Text]:
    images = [("labelled", labels.labelled), ("background", labels.background), ("skipped", labels.skipped)]
    rows = [("kept", labels.kept), ("lost", labels.lost.rows)]
    missing = f"{count(labels.missing)} without a label file" if labels.missing else ""
    yield _sum("images", labels.images, images, missing, width)
    yield _sum("rows", labels.rows, rows, "", width)
    yield _sum("kept", labels.kept, [*labels.sizes.items()], "< 32 px, < 96 px, above" if labels.sizes else "", width)


def _sum(name: str, whole: int, parts: Sequence[tuple[str, int]], note: str, width: int) -> Text:
    """`rows  8,078  = 8,062 kept + 16 lost`; the note where there is room."""
    line = Text(f"{name:<8}").append(f"{count(whole):>9}")
    line.stylize("bold", 0, len(name))
    line.append("  = " + " + ".join(f"{count(number)} {safe(part)}" for part, number in parts) if parts else "")
    if note and line.cell_len + len(note) + 4 <= width:
        line.append(f"  ({note})", style="dim")
    return line


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
