"""Heat maps of a key-point family: where objects are centred, which of them share a cell, and how far each reaches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from detloss_cli.facts import MapFacts
from detloss_cli.report.grid import Column, Grid, Row
from detloss_cli.report.numbers import NOTHING, count, fixed
from detloss_cli.report.safe import safe


def maps_table(maps: Sequence[MapFacts], width: int) -> Iterator[Text]:
    """A line a map. centres: what the heat-map term is divided by."""
    if not maps:
        return
    columns = (
        Column("map", right=False, style="bold"),
        Column("grid", drop=3, style="dim"),
        Column("objects"),
        Column("centres"),
        Column("share a cell"),
        Column("median", group="radius, cells"),
        Column("most", group="radius, cells"),
        Column("cells", group="near a centre", drop=2, style="dim"),
        Column("weight", group="near a centre", drop=1, style="dim"),
    )
    yield from Grid(columns, tuple(_row(one) for one in maps)).lines(width)


def _row(one: MapFacts) -> Row:
    shared = Text(count(one.shared), style="yellow" if one.shared else "")
    near = NOTHING if one.near_cells is None else count(one.near_cells)
    most = max((radius for radius, number in enumerate(one.radius_histogram) if number), default=0)
    cells: list[str | Text] = [f"{safe(one.map)}/{one.stride}", f"{one.cols}x{one.rows}", count(one.positives), count(one.centres), shared]
    return Row((*cells, str(_median(one.radius_histogram)), str(most), near, fixed(one.near_weight, 3)))


def _median(histogram: Sequence[int]) -> int:
    """The lower median of what a histogram counts."""
    half, seen = (sum(histogram) + 1) // 2, 0
    for value, number in enumerate(histogram):
        seen += number
        if seen >= half:
            return value
    return 0
