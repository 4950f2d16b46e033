"""A set that has been read before: `inspect labels` with its cache beside its own first run, and an edit of the same size noticed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from functools import partial

from in_turn import Row, medians, peak_memory, run
from reading import cold, inspect, plain
from workplace import Place


def prepare(place: Place) -> None:
    place.coco()


def measure(place: Place) -> Iterator[Row]:
    data = place.coco()
    cold(data, place)
    command = inspect(data, place)
    ours, loop = medians(partial(run, command), partial(run, plain(data)), place.rounds)
    yield Row("inspect labels, cached", ours, "plain loop", loop, memory=peak_memory(command))
    notices_an_edit(place)


def notices_an_edit(place: Place) -> None:
    """A class changed in a file, with its size and its modification time as before.

    Raises:
        RuntimeError: the report is the old one.
    """
    data = place.coco()
    file = next(path for path in sorted((data / "labels" / "train").iterdir()) if path.stat().st_size)
    before, status = file.read_bytes(), file.stat()
    old = json.loads(run(inspect(data, place)))
    first = before[:1]
    try:
        file.write_bytes((b"1" if first == b"2" else b"2") + before[1:])
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        new = json.loads(run(inspect(data, place)))
    finally:
        file.write_bytes(before)
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    if new["labels"]["classes"] == old["labels"]["classes"]:
        raise RuntimeError(f"an edit of {file} went unnoticed")
