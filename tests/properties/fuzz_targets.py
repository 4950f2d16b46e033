"""What is fuzzed: each target takes bytes, and raises where something does not hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from pathlib import Path

import numpy as np
from pickles import label_cache, pickled, said

from detloss_cli.inputs import cache_file
from detloss_cli.inputs.cache_stamps import WIDTH, Wanted
from detloss_cli.inputs.cache_table import from_arrays, to_arrays
from detloss_cli.inputs.cached_labels import _joined, _table
from detloss_cli.inputs.data_names import from_yaml
from detloss_cli.inputs.data_yaml import read_data
from detloss_cli.inputs.foreign_cache import ARRAYS
from detloss_cli.inputs.limits import DEFAULT
from detloss_cli.inputs.load_file import load_file
from detloss_cli.inputs.load_strict import load_strict
from detloss_cli.inputs.loaders import LOADERS
from detloss_cli.inputs.pickle_skim import look_through
from detloss_cli.inputs.pickle_walk import walk
from detloss_cli.inputs.read_labels import read_labels
from detloss_cli.inputs.row_text import read_text
from detloss_cli.inputs.rows import read_rows
from detloss_cli.inputs.yaml_text import parse_yaml
from detloss_cli.report.safe import safe

SAMPLES = Path(__file__).resolve().parents[2] / "sample_data" / "broken"
CLASSES = 3


class Wrong(AssertionError):
    """Something that has to hold for all bytes does not hold for these."""


def hold(condition: bool, what: str) -> None:
    if not condition:
        raise Wrong(what)


def rows(data: bytes) -> None:
    """The exact path explains every byte; where the fast path finds nothing to explain, both give the same boxes, to the bit."""
    reading = read_text("x.txt", data, CLASSES, DEFAULT)
    lines = data.count(b"\n") + 1
    for fault in reading.faults:
        hold(fault.line is None or 1 <= fault.line <= lines, f"{fault} has no such line of {lines}")
        hold(fault.column is None or fault.column >= 1, f"{fault} has no such column")
        hold(len(fault.token) <= 80, "a token that is too long")
        hold(safe(safe(fault.token)) == safe(fault.token), "safe is not idempotent")
    kept = load_strict(reading)
    hold(len(kept.boxes) + sum(kept.lost.values()) == len(reading.written), "rows that are neither kept nor lost")
    clean = read_rows([b"0 .5 .5 .1 .1\n", data, b"1 .5 .5 .1 .1"], CLASSES, DEFAULT)
    hold(not {0, 2} & set(clean.dirty), "a neighbour was taken along")
    if 1 not in clean.dirty:
        mine = clean.file == 1
        hold(not kept.lost, f"the fast path takes what the exact one loses: {kept.lost}")
        exact = np.array([box[2:] for box in kept.boxes], dtype=np.float32).reshape(-1, 4)
        hold(clean.boxes[mine].tobytes() == exact.tobytes(), "other boxes")
        hold(clean.cls[mine].tolist() == [box.cls for box in kept.boxes], "other classes")
        hold(clean.line[mine].tolist() == [box.line for box in kept.boxes], "other lines")
    for loader in LOADERS.values():
        loaded = load_file("x.txt", data, reading, loader, CLASSES)
        hold(all(np.isfinite(box[2:]).all() and 0 <= box.cls < CLASSES for box in loaded.boxes), f"{loader.name} keeps a box that is none")


def yaml(data: bytes) -> None:
    """A document or faults, places inside it, and class names from whatever it holds."""
    document = parse_yaml(data, "x.yaml")
    lines = data.count(b"\n") + 1
    faults = list(document.faults)
    if document.root is not None and document.root.kind == "mapping":
        keys = {text: value for text, _, value in document.root.keyed()}
        faults.extend(from_yaml("x.yaml", keys.get("nc"), keys.get("names")).faults)
    hold(all(fault.line is None or 1 <= fault.line <= lines for fault in faults), "a line that is not there")


def data_yaml(data: bytes, path: Path) -> None:
    """The same as a file: splits and names, all of it below its root."""
    spec, _ = read_data(str(path))
    for places in spec.splits.values():
        hold(all(place == spec.root or place.startswith(spec.root + "/") for place in places), f"{places} leave {spec.root}")


def cached(data: bytes) -> None:
    """Bytes as they are, and with length and checksum set right, as only their owner could: a table that holds together, or none."""
    for body in (data, sealed(data)):
        arrays = cache_file.unpack(body, "config")
        table = from_arrays(arrays) if arrays is not None else None
        if table is None:
            continue
        count = len(table.paths)
        hold(table.keys.shape == (count, WIDTH), "keys")
        for columns in (table.strict, table.loaded):
            hold(len(columns.image) == len(columns.line) == len(columns.cls) == len(columns.boxes), "columns of two lengths")
            hold(not len(columns.image) or 0 <= columns.image.min() <= columns.image.max() < count, "boxes of no file")
        table.take(np.arange(count)[::-1])
        _joined(table, table)
        hold(from_arrays(dict(to_arrays(table))) is not None, "no round trip")


def pickles(data: bytes) -> None:
    """Quickly and by the opcode the same is found, or broken in the same way."""
    hold(said(look_through, data) == said(walk, data), "the quick way finds something else")
    settled = said(partial(look_through, known=ARRAYS), data), said(partial(walk, known=ARRAYS), data)
    hold(settled[0] == settled[1], "the quick way is settled by something else")


def sealed(data: bytes) -> bytes:
    body = data[cache_file.FIXED :]
    checksum = sha256(body).digest()
    return cache_file.MAGIC + len(body).to_bytes(8, "little") + checksum + body


@cache
def labels() -> tuple[bytes, ...]:
    found = {path.read_bytes() for path in SAMPLES.rglob("*") if path.suffix.lower() == ".txt" and path.stat().st_size < 4096}
    return tuple(sorted({*found, b"", b"0 0.5 0.5 0.2 0.2\n1 0.123456 0.5 0.2 0.2\n", b"2 0.25 0.75 0.0625 0.1 \r\n0 .5 .5 1. 1\r\n"}))


@cache
def yamls() -> tuple[bytes, ...]:
    found = {path.read_bytes() for path in SAMPLES.rglob("*.yaml") if path.stat().st_size < 4096}
    return tuple(sorted(found))


@cache
def caches() -> tuple[bytes, ...]:
    """Tables of the broken samples, packed."""
    paths = [str(path) for path in sorted(SAMPLES.rglob("*.txt")) if path.stat().st_size < 4096]
    packed = []
    for some, loader in ((paths, "strict"), (paths[:3], "yolov7"), (paths[5:40:5], "yolov5-7.0")):
        read = read_labels(some, str(SAMPLES), loader, CLASSES, DEFAULT, stamps=Wanted(started=1 << 62))
        packed.append(b"".join(cache_file.pack("config", to_arrays(_table(read, read.stamped, some)))))
    head = json.dumps({"config": "config", "arrays": [["paths", "|u1", [3]]]}).encode()
    return (*packed, sealed(b"\0" * cache_file.FIXED + len(head).to_bytes(8, "little") + head + b"abc"))


@cache
def label_caches() -> tuple[bytes, ...]:
    """Of a trainer, in every protocol."""
    return tuple(pickled(label_cache(2, 20), protocol, form) for protocol in range(6) for form in ("c", "optimized"))


@dataclass(frozen=True, slots=True)
class Target:
    """check: raises where something is wrong; with `on_disk` it gets the path of a file that holds the bytes as well."""

    check: Callable[..., None]
    seeds: Callable[[], tuple[bytes, ...]]
    on_disk: bool = False


TARGETS = {
    "rows": Target(rows, labels),
    "yaml": Target(yaml, yamls),
    "data_yaml": Target(data_yaml, yamls, True),
    "cache": Target(cached, caches),
    "pickles": Target(pickles, label_caches),
}
