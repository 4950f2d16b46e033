"""A whole set read for the first time: `inspect labels` beside a plain loop, in three ways of writing numbers; and its memory."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial

from in_turn import Goal, Row, medians, peak_memory, run
from reading import STYLES, cold, inspect, plain
from workplace import Place


def prepare(place: Place) -> None:
    for style in STYLES:
        place.coco(style, image_files="link")


def measure(place: Place) -> Iterator[Row]:
    for style in STYLES:
        data = place.coco(style, image_files="link")
        ours, loop = medians(partial(cold, data, place), partial(run, plain(data)), place.rounds)
        shutil.rmtree(place.folder / "cache", ignore_errors=True)
        memory = peak_memory(inspect(data, place))
        yield Row(f"inspect labels, cold, {style} decimals", ours, "plain loop", loop, place.goal("ratio", 0.55), memory)
        yield Row(f"its memory, {style} decimals", memory, goal=Goal("most", 200), unit="MB")
