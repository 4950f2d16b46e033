"""Label files of a list of images, read once each: columns for the clean ones, the exact path for the rest."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from detloss_cli.inputs.cache_stamps import Stamps
from detloss_cli.inputs.columns import Columns, join
from detloss_cli.inputs.duplicates import first_equal
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.files import Refused, read_file
from detloss_cli.inputs.labels_read import FileReport, LabelsRead, nothing_read
from detloss_cli.inputs.limits import Limits
from detloss_cli.inputs.load_file import load_file
from detloss_cli.inputs.load_strict import load_strict
from detloss_cli.inputs.loaded import Loaded
from detloss_cli.inputs.loaders import LOADERS, Loader
from detloss_cli.inputs.pairing import is_inside
from detloss_cli.inputs.row_text import FileReading, read_text
from detloss_cli.inputs.rows import CleanRows, read_rows

# Text that is parsed at once: large enough to pay for the calls, small enough to stay in the cache.
BATCH_BYTES, BATCH_FILES = 4 << 20, 8192


def read_labels(
    paths: Sequence[str],
    root: str,
    loader: str,
    num_classes: int | None,
    limits: Limits,
    *,
    allow_outside: bool = False,
    stamps: Stamps | None = None,
) -> LabelsRead:
    """Read label files.

    Args:
        paths: one an image, "" for an image without one.
        root: resolved; a link that leaves it is not read unless `allow_outside`.
        loader: a key of `LOADERS`.
        num_classes: C, None if unknown.
        stamps: takes a stamp of each regular file that is read, for the cache.
    """
    parts: list[tuple[Columns, Columns]] = []
    result = nothing_read(len(paths))
    for indices, contents in _batches(paths, root, limits, allow_outside, result, stamps):
        parts.append(_read_batch(paths, indices, contents, loader, num_classes, limits, result))
    if parts:
        result.strict = join([strict for strict, _ in parts])
        result.loaded = result.strict if all(strict is loaded for strict, loaded in parts) else join([loaded for _, loaded in parts])
    return result


def _batches(
    paths: Sequence[str], root: str, limits: Limits, allow_outside: bool, result: LabelsRead, stamps: Stamps | None
) -> Iterator[tuple[list[int], list[bytes]]]:
    indices, contents, size = list[int](), list[bytes](), 0
    with _Folders() as folders:
        for index, path in enumerate(paths):
            if not path:
                continue
            stamp: list[int] = []
            data = _open(path, folders, root, limits, allow_outside, stamp)
            if isinstance(data, Refused):
                result.reports[index] = FileReport([Fault(data.kind, path, None, None, "", data.detail)], skipped=True)
                continue
            if stamps is not None:
                stamps.add(index, stamp, data)
            indices.append(index)
            contents.append(data)
            size += len(data)
            if size >= BATCH_BYTES or len(indices) >= BATCH_FILES:
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

    def at(self, path: str) -> int:
        if path != self.path:
            self.__exit__()
            self.path = None
            self.fd = os.open(path or ".", os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0))
            self.path = path
        return self.fd


def _open(path: str, folders: _Folders, root: str, limits: Limits, allow_outside: bool, stamp: list[int]) -> bytes | Refused:
    folder, _, name = path.rpartition("/")
    try:
        fd = folders.at(folder)
    except OSError as error:
        return Refused("unreadable-file", error.strerror or "")
    data = read_file(name, limits.label_bytes, fd, stamp)
    if isinstance(data, Refused) and data.kind == "symlink":
        if not os.path.exists(path):
            return Refused("dangling-link", "")
        if not allow_outside and not is_inside(path, root):
            return Refused("leaves-root", root)
        return read_file(os.path.realpath(path), limits.label_bytes)
    return data


def _read_batch(
    paths: Sequence[str],
    indices: list[int],
    contents: list[bytes],
    loader: str,
    num_classes: int | None,
    limits: Limits,
    result: LabelsRead,
) -> tuple[Columns, Columns]:
    """The boxes of one batch, as strict and as the loader keep them; one object where they are the same."""
    clean = read_rows(contents, num_classes, limits)
    rule = LOADERS[loader]
    strict_of: dict[int, Loaded] = {}
    loaded_of: dict[int, Loaded] = {}
    repeated = set[int]()
    if not rule.by_row and rule.duplicates != "keep":
        repeats = first_equal(clean.file, clean.cls, clean.boxes) != np.arange(len(clean.file))
        repeated = set(np.unique(clean.file[repeats]).tolist())
    counts = np.bincount(clean.file, minlength=len(contents)).astype(np.int32)
    where = np.array(indices)
    result.rows[where] = result.boxes[where] = counts
    for file in sorted({*clean.dirty, *repeated}):
        path, index = paths[indices[file]], indices[file]
        reading = read_text(path, contents[file], num_classes, limits)
        report = result.reports[index] = FileReport(reading.faults)
        result.boxes[index] = sum(row.form in ("box", "polygon") for row in reading.written)
        strict_of[file] = load_strict(reading)
        loaded_of[file] = loaded = _as_loaded(path, contents[file], reading, rule, num_classes, strict_of[file])
        # a loader that ends lines at more than LF reads more rows than there are lines
        result.rows[index] = max(len(reading.written), len(loaded.boxes) + sum(loaded.lost.values()))
        report.fates, report.lost, report.whole = loaded.fates, loaded.lost, loaded.whole
    if not strict_of:
        columns = Columns(where[clean.file], clean.line, clean.cls, clean.boxes)
        return columns, columns
    strict = _merge(clean, strict_of, where)
    return strict, strict if rule.by_row and not rule.accepts else _merge(clean, loaded_of, where)


def _as_loaded(path: str, data: bytes, reading: FileReading, rule: Loader, num_classes: int | None, strict: Loaded) -> Loaded:
    """What the loader makes of a file that `strict` has been read from."""
    if not rule.by_row:
        return load_file(path, data, reading, rule, num_classes)
    return load_strict(reading, path, rule.accepts) if rule.accepts else strict


def _merge(clean: CleanRows, others: dict[int, Loaded], where: NDArray[np.int64]) -> Columns:
    """Clean rows and those of files that were read line by line, back in file order."""
    keep = ~np.isin(clean.file, np.fromiter(others, dtype=np.int64, count=len(others)))
    files = [file for file, loaded in others.items() for _ in loaded.boxes]
    boxes = [box for loaded in others.values() for box in loaded.boxes]
    file = np.concatenate([clean.file[keep], np.array(files, dtype=np.int64)])
    order = np.argsort(file, kind="stable")
    values = np.array([box[2:] for box in boxes], dtype=np.float32).reshape(-1, 4)
    return Columns(
        where[file[order]],
        np.concatenate([clean.line[keep], np.array([box.line for box in boxes], dtype=np.int32)])[order],
        np.concatenate([clean.cls[keep], np.array([box.cls for box in boxes], dtype=np.int64)])[order],
        np.concatenate([clean.boxes[keep], values])[order],
    )
