"""A set with faults of fifteen kinds: all of them found, and hardly slower than the clean set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from in_turn import Row, medians
from reading import cold
from workplace import Place

# Files of each kind: one in a thousand of the set has a fault of some kind.
SHARE = 15_000
# Kinds of file that hold no fault to a reader: what they say is right, or a matter of taste.
HARMLESS = {"bom_crlf"}


def prepare(place: Place) -> None:
    broken(place)
    place.coco()


def broken(place: Place) -> Path:
    return place.coco(broken=max(1, place.images // SHARE))


def measure(place: Place) -> Iterator[Row]:
    data = broken(place)
    report = json.loads(cold(data, place, (1,)))
    told = {Path(finding["path"]).name for finding in report["findings"] if finding["path"] and finding["line"]}
    planted = json.loads((data / "broken.json").read_text(encoding="utf-8"))
    missed = [name for kind, names in planted.items() if kind not in HARMLESS for name in names if name not in told]
    if missed:
        raise RuntimeError(f"no finding at {', '.join(missed[:5])}")
    ours, clean = medians(partial(cold, data, place, (1,)), partial(cold, place.coco(), place), place.rounds)
    yield Row("inspect labels, broken set", ours, "the clean set", clean, place.goal("ratio", 1.1))
