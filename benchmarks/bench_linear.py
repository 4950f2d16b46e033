"""Cost by the number of label files: what one more file costs, in processor time and memory, between sizes that are ten times apart.

One process reads: what workers cost once, 20 MB and some hundredths of a second each, would weigh on the smallest set alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from in_turn import Goal, Row, peak_memory, processor_times, run
from reading import inspect
from workplace import Place

SIZES, FULL = (1_000, 10_000, 100_000), (10_000, 100_000, 1_000_000)
SPREAD = 1.2


def prepare(place: Place) -> None:
    for images in sizes(place):
        place.coco(images=images, image_files="none")


def sizes(place: Place) -> tuple[int, int, int]:
    return FULL if place.full else SIZES


def measure(place: Place) -> Iterator[Row]:
    commands = [inspect(place.coco(images=images, image_files="none"), place, "--no-cache", "--workers", "0") for images in sizes(place)]
    seconds = processor_times([partial(run, command) for command in commands], place.rounds)
    memory = [peak_memory(command) for command in commands]
    for images, took, held in zip(sizes(place), seconds, memory, strict=True):
        yield Row(f"inspect labels, {images:,} label files", took, memory=held)
    small, middle, large = sizes(place)
    for what, found, unit, scale in (("processor time", seconds, "us", 1e6), ("memory", memory, "kB", 1e3)):
        first = scale * (found[1] - found[0]) / (middle - small)
        then = scale * (found[2] - found[1]) / (large - middle)
        yield Row(
            f"{what} of one more file, {middle:,} to {large:,}", then, f"{small:,} to {middle:,}", first, Goal("ratio", SPREAD), unit=unit
        )
