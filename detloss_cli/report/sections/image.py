"""One picture box by box: what each gets on each level, and why not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from detloss_cli.facts import ImageFacts, LevelFacts
from detloss_cli.inputs.relative import relative
from detloss_cli.report.grid import Column, Grid, Row
from detloss_cli.report.numbers import count, short
from detloss_cli.report.safe import safe


def image_table(image: ImageFacts, levels: Sequence[LevelFacts], root: str, width: int) -> Iterator[Text]:
    """Boxes in file order."""
    yield Text(safe(relative(image.path, root)), style="bold")
    columns = [Column("line"), Column("class", right=False, style="bold"), Column("px")]
    columns += [Column(f"{level.level}/{level.stride}") for level in levels]
    columns += [Column("all"), Column("why none", right=False, drop=1, style="dim")]
    rows = [_row(image, box) for box in range(len(image.line))]
    if rows:
        yield from Grid(tuple(columns), tuple(rows)).lines(width)
    else:
        yield Text("no boxes", style="dim")


def _row(image: ImageFacts, box: int) -> Row:
    x1, y1, x2, y2 = image.boxes_xyxy[box].tolist()
    positives = [int(number) for number in image.positives[box]]
    total = Text(count(sum(positives)), style="green" if any(positives) else "bold red")
    size = f"{short(round(x2 - x1, 1))}x{short(round(y2 - y1, 1))}"
    cells: list[str | Text] = [
        str(image.line[box]),
        safe(image.name[box]),
        size,
        *(count(number) for number in positives),
        total,
        safe(image.text[box]),
    ]
    return Row(tuple(cells))
