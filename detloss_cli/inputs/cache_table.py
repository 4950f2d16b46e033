"""Label files as the cache holds them: one row a file, boxes behind it, and a line of JSON for each file that is not clean."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from detloss_cli.inputs.cache_stamps import WIDTH
from detloss_cli.inputs.columns import Columns, packed_cls, packed_line, whole_line
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.labels_read import FileReport
from detloss_cli.inputs.loaded import Action, Fate

ACTIONS = frozenset(get_args(Action))


@dataclass(slots=True)
class Table:
    """F label files that could be read.

    paths: (F,). keys: (F, 4) and digests: (F, 16 or 0), as in `Stamps`. rows, boxes: (F,) int32.
    strict, loaded: as in `LabelsRead`, `image` being the number of the file here. reports: by the same number.
    """

    paths: list[str]
    keys: NDArray[np.int64]
    digests: NDArray[np.uint8]
    rows: NDArray[np.int32]
    boxes: NDArray[np.int32]
    strict: Columns
    loaded: Columns
    reports: dict[int, FileReport] = field(default_factory=dict)

    def take(self, files: NDArray[np.int64]) -> Table:
        """Some files, in the order asked for; one may be asked for twice."""
        if len(files) == len(self.paths) and (files == np.arange(len(files))).all():
            return self
        new_of: dict[int, list[int]] = {}
        for new, old in enumerate(files.tolist()):
            if old in self.reports:
                new_of.setdefault(old, []).append(new)
        strict = _take(self.strict, files, len(self.paths))
        return Table(
            [self.paths[n] for n in files.tolist()],
            self.keys[files],
            self.digests[files],
            self.rows[files],
            self.boxes[files],
            strict,
            strict if self.loaded is self.strict else _take(self.loaded, files, len(self.paths)),
            {new: self.reports[old] for old, news in new_of.items() for new in news},
        )


def _take(columns: Columns, files: NDArray[np.int64], count: int) -> Columns:
    """The boxes of some files; `image` becomes their place in `files`."""
    sizes = np.bincount(columns.image, minlength=count)
    starts = np.cumsum(sizes) - sizes
    wanted = sizes[files]
    image = np.repeat(np.arange(len(files)), wanted)
    first = np.cumsum(wanted) - wanted
    rows = np.arange(len(image)) - first[image] + starts[files][image]
    return Columns(image, columns.line[rows], columns.cls[rows], columns.boxes[rows])


def to_arrays(table: Table) -> dict[str, NDArray[Any]]:
    """What `cache_file` keeps. The paths of faults are those of their files and are not written twice."""
    said = [
        [
            file,
            [[fault.kind, fault.line, fault.column, fault.token, fault.detail] for fault in report.faults],
            [[fate.action, fate.line, fate.kind, fate.rows] for fate in report.fates],
            report.lost,
            report.whole,
        ]
        for file, report in table.reports.items()
    ]
    arrays: dict[str, NDArray[Any]] = {
        "paths": _bytes("\0".join(table.paths).encode("utf-8", "surrogateescape")),
        "reports": _bytes(json.dumps(said, separators=(",", ":")).encode()),
        "keys": table.keys,
        "digests": table.digests,
        "rows": table.rows,
        "boxes": table.boxes,
    }
    columns = [("strict", table.strict)] + ([] if table.loaded is table.strict else [("loaded", table.loaded)])
    for name, each in columns:
        sizes = np.bincount(each.image, minlength=len(table.paths))
        line, cls = packed_line(each.line, sizes), packed_cls(each.cls)
        arrays |= {f"{name}.sizes": sizes.astype(np.int32), f"{name}.line": line, f"{name}.cls": cls, f"{name}.boxes": each.boxes}
    return arrays


def from_arrays(arrays: dict[str, NDArray[Any]]) -> Table | None:
    """The table, None if the arrays do not fit together. Never raises."""
    try:
        paths = arrays["paths"].tobytes().decode("utf-8", "surrogateescape").split("\0")
        count = len(paths)
        strict = _columns(arrays, "strict", count)
        loaded = _columns(arrays, "loaded", count) if "loaded.sizes" in arrays else strict
        table = Table(
            paths,
            _of(arrays["keys"], np.int64, (count, WIDTH)),
            _of(arrays["digests"], np.uint8, (count, arrays["digests"].shape[1])),
            _of(arrays["rows"], np.int32, (count,)),
            _of(arrays["boxes"], np.int32, (count,)),
            strict,
            loaded,
        )
        if (table.rows < 0).any() or (table.boxes < 0).any():
            return None
        for file, faults, fates, lost, whole in json.loads(arrays["reports"].tobytes().decode("ascii")):
            if type(file) is not int or not 0 <= file < count:
                return None
            table.reports[file] = _report(paths[file], faults, fates, lost, whole)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, RecursionError, MemoryError, OverflowError):
        return None
    return table


def _columns(arrays: dict[str, NDArray[Any]], name: str, count: int) -> Columns:
    sizes = _of(arrays[f"{name}.sizes"], np.int32, (count,))
    total = int(sizes.sum(dtype=np.int64))
    line, cls = arrays[f"{name}.line"], arrays[f"{name}.cls"]
    line = _of(line, np.int32, (total if len(line) else 0,))
    cls = _of(cls, np.uint8 if cls.dtype == np.uint8 else np.int64, (total,))
    boxes = _of(arrays[f"{name}.boxes"], np.float32, (total, 4))
    if (sizes < 0).any() or (line < 1).any() or (cls < 0).any() or not np.isfinite(boxes).all():
        raise ValueError("no boxes")
    # what a reader hands out can be written to
    return Columns(np.repeat(np.arange(count), sizes), whole_line(line, sizes).copy(), cls.astype(np.int64), boxes.copy())


def _of(table: NDArray[Any], dtype: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    if table.dtype != dtype or table.shape != shape:
        raise ValueError(f"expected {shape}, got {table.shape}")
    return table


def _report(path: str, faults: Sequence[Any], fates: Sequence[Any], lost: Any, whole: Any) -> FileReport:
    report = FileReport(whole=_is(whole, bool))
    for kind, line, column, token, detail in faults:
        report.faults.append(Fault(_is(kind, str), path, _number(line), _number(column), _is(token, str), _is(detail, str)))
    for action, line, kind, rows in fates:
        if action not in ACTIONS:
            raise ValueError("no action")
        report.fates.append(Fate(action, path, _number(line), _is(kind, str), _is(rows, int)))
    report.lost = {_is(kind, str): _is(rows, int) for kind, rows in lost.items()}
    return report


def _is(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"expected {kind.__name__}, got {type(value).__name__}")
    return value


def _number(value: Any) -> int | None:
    return None if value is None else int(_is(value, int))


def _bytes(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(data, dtype=np.uint8)
