"""A whole set read for the first time: `inspect labels` beside a plain loop, in three ways of writing numbers; and its memory.

The loop keeps nothing, and so does the run that is held to it; what a first run pays to keep its cache stands below.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial

from in_turn import Goal, Row, in_turn, peak_memory, run
from reading import STYLES, cold, inspect, plain
from workplace import Place


def prepare(place: Place) -> None:
    for style in STYLES:
        place.coco(style)


def measure(place: Place) -> Iterator[Row]:
    for style in STYLES:
        data = place.coco(style)
        command = inspect(data, place, "--no-cache")
        calls = (partial(run, command), partial(cold, data, place), partial(run, plain(data)))
        ours, keeping, loop = in_turn(calls, place.rounds)
        shutil.rmtree(place.folder / "cache", ignore_errors=True)
        memory = peak_memory(inspect(data, place))
        yield Row(f"inspect labels, {style} decimals", ours, "plain loop", loop, place.goal("ratio", 0.55), peak_memory(command))
        yield Row(f"the same, and its cache written, {style}", keeping, "plain loop", loop, memory=memory)
        yield Row(f"its memory, {style} decimals", memory, goal=Goal("most", 200), unit="MB")
