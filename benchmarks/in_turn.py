"""Two callables timed in turn, so that a busy neighbour troubles both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. ours, theirs: medians in seconds. peer: what theirs is. goal: what the ratio, or ours, has to be."""

    what: str
    ours: float
    peer: str
    theirs: float
    goal: str


def medians(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median seconds of each, one round of both to warm up."""
    times: list[list[float]] = [[], []]
    for turn in range(rounds + 1):
        for kept, call in zip(times, (ours, theirs), strict=True):
            started = time.perf_counter()
            call()
            if turn:
                kept.append(time.perf_counter() - started)
    return statistics.median(times[0]), statistics.median(times[1])
