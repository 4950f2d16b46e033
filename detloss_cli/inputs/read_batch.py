"""The contents of some label files to boxes: columns for the clean ones, the exact path for the rest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from detloss_cli.inputs.columns import Columns
from detloss_cli.inputs.duplicates import first_equal
from detloss_cli.inputs.labels_read import FileReport, LabelsRead
from detloss_cli.inputs.limits import Limits
from detloss_cli.inputs.load_file import load_file
from detloss_cli.inputs.load_strict import load_strict
from detloss_cli.inputs.loaded import Loaded
from detloss_cli.inputs.loaders import LOADERS, Loader
from detloss_cli.inputs.row_text import FileReading, read_text
from detloss_cli.inputs.rows import CleanRows, read_rows


def read_batch(
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
        loaded_of[file] = loaded = _as_loaded(path, contents[file], reading, rule, num_classes, limits, strict_of[file])
        # a loader that ends lines at more than LF reads more rows than there are lines
        result.rows[index] = max(len(reading.written), len(loaded.boxes) + sum(loaded.lost.values()))
        report.fates, report.lost, report.whole = loaded.fates, loaded.lost, loaded.whole
    if not strict_of:
        columns = Columns(where[clean.file], clean.line, clean.cls, clean.boxes)
        return columns, columns
    strict = _merge(clean, strict_of, where)
    return strict, strict if rule.by_row and not rule.accepts else _merge(clean, loaded_of, where)


def _as_loaded(
    path: str, data: bytes, reading: FileReading, rule: Loader, num_classes: int | None, limits: Limits, strict: Loaded
) -> Loaded:
    """What the loader makes of a file that `strict` has been read from."""
    if not rule.by_row:
        if any(fault.kind == "too-many-rows" for fault in reading.faults):  # what is not read no loader sees
            data = b"\n".join(data.split(b"\n", limits.rows)[: limits.rows])
        return load_file(path, data, reading, rule, num_classes, limits.names)
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
