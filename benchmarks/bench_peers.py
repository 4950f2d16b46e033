"""A whole set read by detloss, process and all, and by the readers of ultralytics and supervision, without their imports."""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from in_turn import Row, in_turn, run
from reading import HERE, cold, inspect
from workplace import Place

ULTRALYTICS = ("torch==2.13.0", "torchvision", "ultralytics==8.4.*")
SUPERVISION = ("supervision==0.31.2",)
# A peer takes up to half a minute for the whole set.
ROUNDS = 3


def prepare(place: Place) -> None:
    place.coco()
    place.peer("ultralytics", ULTRALYTICS)
    place.peer("supervision", SUPERVISION)


def measure(place: Place) -> Iterator[Row]:
    beside = place.coco() / "labels" / "train.cache"
    try:
        yield from rows(place, beside)
    finally:
        beside.unlink(missing_ok=True)  # the other benchmarks are of labels alone


def rows(place: Place, beside: Path) -> Iterator[Row]:
    """beside: where ultralytics keeps its cache."""
    data = place.coco()
    yaml = str(data / "data.yaml")
    first = partial(alone, partial(cold, data, place), beside)
    again = partial(alone, partial(run, inspect(data, place)), beside)
    theirs = str(place.peer("ultralytics", ULTRALYTICS))
    for what, how, own, least in (("cold", "cold", first, 28), ("cold", "stubbed", first, 20), ("cached", "cached", again, 6)):
        ours, seconds = against(own, (theirs, str(HERE / "peer_ultralytics.py"), yaml, how), place)
        name = "ultralytics" + (", images unread" if how == "stubbed" else "")
        yield Row(f"inspect labels, {what}", ours, name, seconds, place.goal("times", least))
    command = (str(place.peer("supervision", SUPERVISION)), str(HERE / "peer_supervision.py"), yaml)
    ours, seconds = against(first, command, place)
    yield Row("inspect labels, cold", ours, "supervision", seconds)


def alone(own: partial[str], cache: Path) -> None:
    """Ours without the peer's own cache among the labels: looking through a pickle is a task of its own, which the peer does not have."""
    aside = cache.with_suffix(".aside")
    with contextlib.suppress(FileNotFoundError):
        cache.rename(aside)
    try:
        own()
    finally:
        with contextlib.suppress(FileNotFoundError):
            aside.rename(cache)


def against(own: partial[None], command: tuple[str, ...], place: Place) -> tuple[float, float]:
    """Median seconds of ours, and those that a peer's script prints."""
    printed: list[float] = []

    def other() -> None:
        printed.append(float(run(command).split()[-2]))

    ours, _ = in_turn((own, other), min(ROUNDS, place.rounds))
    return ours, statistics.median(printed[1:])
