"""Some label files of a data set, opened, read and parsed: a piece of work that a process can do for another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from detloss_cli.inputs.cache_stamps import Stamps, Wanted
from detloss_cli.inputs.columns import Columns, join
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.files import STAMP, Refused, read_file, read_known
from detloss_cli.inputs.labels_read import FileReport, LabelsRead, nothing_read
from detloss_cli.inputs.limits import Limits
from detloss_cli.inputs.mapper import Tell
from detloss_cli.inputs.pairing import is_inside
from detloss_cli.inputs.read_batch import read_batch

# Text that is parsed at once: large enough to pay for the calls, small enough to stay in the cache.
BATCH_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class LabelShard:
    """paths: of label files. The rest as `read_labels`."""

    paths: tuple[str, ...]
    root: str
    loader: str
    num_classes: int | None
    limits: Limits
    allow_outside: bool
    stamps: Wanted | None

    def name(self, item: int) -> str:
        """What a file is called in a message."""
        return self.paths[item]


def read_shard(shard: LabelShard, tell: Tell | None = None) -> LabelsRead:
    """Read label files, many at once; with `tell` one after the other. An image is the place of its file in the shard."""
    result = nothing_read(len(shard.paths))
    stamps = Stamps(shard.stamps) if shard.stamps is not None else None
    parts: list[tuple[Columns, Columns]] = []
    for indices, contents in _batches(shard, result, stamps, tell):
        parts.append(read_batch(shard.paths, indices, contents, shard.loader, shard.num_classes, shard.limits, result))
    if parts:
        result.strict = join([strict for strict, _ in parts])
        result.loaded = result.strict if all(strict is loaded for strict, loaded in parts) else join([loaded for _, loaded in parts])
    result.stamped = stamps.stamped() if stamps is not None else None
    return result


def _batches(shard: LabelShard, result: LabelsRead, stamps: Stamps | None, tell: Tell | None) -> Iterator[tuple[list[int], list[bytes]]]:
    indices, contents, size = list[int](), list[bytes](), 0
    limit = shard.limits.label_bytes
    with _Folders() as folders:
        for index, path in enumerate(shard.paths):
            if tell is not None:
                tell(index)
            folder, _, name = path.rpartition("/")
            found: tuple[bytes, os.stat_result | None] | Refused
            closed = folders.turn_to(folder) if folder != folders.path else None
            found = closed or read_known(name, limit, folders.fd)
            if isinstance(found, Refused) and found.kind == "symlink":
                found = _linked(path, shard)
            if isinstance(found, Refused):
                result.reports[index] = FileReport([Fault(found.kind, path, None, None, "", found.detail)], skipped=True)
                continue
            data, known = found
            if stamps is not None and known is not None:
                stamps.add(index, STAMP(known), data)
            indices.append(index)
            contents.append(data)
            size += len(data)
            if size >= BATCH_BYTES or tell is not None:
                yield indices, contents
                indices, contents, size = [], [], 0
    if indices:
        yield indices, contents


class _Folders:
    """The folder that is being read, held open: a name inside it costs less than a path, and cannot be moved away from under it."""

    def __init__(self) -> None:
        self.path: str | None = None
        self.fd = -1

    def __enter__(self) -> _Folders:
        return self

    def __exit__(self, *_: object) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def turn_to(self, path: str) -> Refused | None:
        """Hold another one open. What it says of a file where it cannot be opened."""
        self.__exit__()
        self.path = None
        try:
            self.fd = os.open(path or ".", os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0))
        except OSError as error:
            return Refused("unreadable-file", error.strerror or "")
        self.path = path
        return None


def _linked(path: str, shard: LabelShard) -> tuple[bytes, None] | Refused:
    """What a link points at, of which no cache knows when it changes."""
    if not os.path.exists(path):
        return Refused("dangling-link", "")
    if not shard.allow_outside and not is_inside(path, shard.root):
        return Refused("leaves-root", shard.root)
    data = read_file(os.path.realpath(path), shard.limits.label_bytes)
    return data if isinstance(data, Refused) else (data, None)
