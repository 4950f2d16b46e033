"""The file loaders of the trainers, replayed on the text they would have read: all or nothing a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detloss_cli.inputs.limits import DEFAULT
from detloss_cli.inputs.loaded import Fate, Loaded, LoadedBox
from detloss_cli.inputs.loaders import STRICT_DROPS, Loader, Loss
from detloss_cli.inputs.row_text import UTF8_BOM, FileReading


class _GivenUp(Exception):
    """The loader gives the file up. loss: how. kind: the fault behind it."""

    def __init__(self, loss: Loss, kind: str) -> None:
        super().__init__(kind)
        self.loss = loss
        self.kind = kind


@dataclass(slots=True)
class _Table:
    """lines: (N,) 1-based. rows: (N, 5) float32, class and box. keys: what repeats are told by. misread: boxes taken for points."""

    lines: list[int]
    rows: NDArray[np.float32]
    keys: list[tuple[float, ...]]
    misread: set[int] = field(default_factory=set)


def load_file(path: str, data: bytes, reading: FileReading, loader: Loader, num_classes: int | None, names: int = DEFAULT.names) -> Loaded:
    """What `loader` keeps of a file.

    Args:
        path: goes into the fates.
        data: the whole file.
        reading: the same file as the exact path read it; it names the faults.
        num_classes: C, None if unknown. names: the bound on ids then.
    """
    written = reading.written
    if not written:
        return Loaded()
    faulty = {row.line: row.faults[0].kind for row in written if row.faults}
    try:
        with np.errstate(over="ignore"):  # too large for float32 is infinite, to the trainers as well
            table = _table(_token_lines(data, loader), loader)
        if table is None:
            return Loaded(lost={_first_kind(reading): len(written)})
        _check(table.rows, loader)
        keep = _kept(table, loader)
    except _GivenUp as lost:
        kind = lost.kind or _first_kind(reading)
        action = "drop" if lost.loss == "remove" else lost.loss
        fates = [] if action == "keep" else [Fate(action, path, None, kind, len(written))]
        return Loaded(lost={kind: len(written)}, fates=fates)
    loaded = Loaded()
    # where nothing says how many classes there are, an id can still be too large for any head
    bound, beyond = (num_classes, "class-out-of-range") if num_classes is not None else (names, "class-huge")
    for index in keep:
        line, (cls, *box) = table.lines[index], table.rows[index].tolist()
        whole = int(cls)
        if whole >= bound:
            if loader.beyond == "drop":
                return Loaded(lost={beyond: len(written)}, fates=[Fate("drop", path, None, beyond, len(written))])
            loaded.lost[beyond] = loaded.lost.get(beyond, 0) + 1
            loaded.fates.append(Fate("stop", path, line, beyond, 1))
            continue
        loaded.boxes.append(LoadedBox(line, whole, *box))
        if line in table.misread:
            loaded.fates.append(Fate("misread", path, line, "mixed-rows", 1))
        elif line in faulty and faulty[line] in ACCEPTED:
            loaded.fates.append(Fate("accept", path, line, faulty[line], 1))
    removed = sorted(set(range(len(table.lines))) - set(keep))
    loaded.fates.extend(Fate("remove", path, table.lines[index], "duplicate-box", 1) for index in removed)
    if removed:
        loaded.lost["duplicate-box"] = len(removed)
    return loaded


def _first_kind(reading: FileReading) -> str:
    """The fault that made the file unreadable, as far as the exact path can tell: its first error, else its first fault."""
    kinds = [fault.kind for fault in reading.faults if fault.line is not None]
    return next((kind for kind in kinds if kind in STRICT_DROPS), kinds[0] if kinds else "not-numeric")


# Errors of a row that a loader may let pass.
ACCEPTED = frozenset(
    {"centre-outside", "size-above-one", "size-not-positive", "class-not-integer", "point-outside", "number-form", "pose-row"}
)


def _token_lines(data: bytes, loader: Loader) -> list[tuple[int, list[str]]]:
    """Lines as the loader splits them: at everything that str.splitlines() takes for an end. Numbers are those of LFs."""
    if data.startswith(UTF8_BOM) and loader.takes_bom:
        data = data[len(UTF8_BOM) :]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise _GivenUp(loader.unreadable, "not-utf8") from None
    line, rows = 1, list[tuple[int, list[str]]]()
    pieces = text.splitlines(keepends=True)
    filled = [number for number, piece in enumerate(pieces) if piece.strip()]
    for number, piece in enumerate(pieces):
        between = bool(filled) and filled[0] < number < filled[-1]
        if piece.strip() or loader.blank == "row" or (loader.blank == "empty" and between and piece.rstrip("\r\n")):
            rows.append((line, piece.split()))
        line += piece.count("\n")
    return rows


def _table(rows: list[tuple[int, list[str]]], loader: Loader) -> _Table | None:
    """The numbers of a file. None if it has no row.

    Raises:
        _GivenUp: it has no one shape, or is no table of numbers.
    """
    if not rows:
        return None
    lines = [line for line, _ in rows]
    if any(not tokens for _, tokens in rows):
        raise _GivenUp(loader.unreadable, "whitespace-line")
    widths = {len(tokens) for _, tokens in rows}
    over = loader.polygon_over
    if over is not None and max(widths) > over:
        return _polygons(rows, lines, widths, loader)
    if len(widths) > 1:
        raise _GivenUp(loader.unreadable, "")
    values = np.array([_floats(tokens, loader) for _, tokens in rows], dtype=np.float32)
    if values.shape[1] != 5:
        raise _GivenUp(loader.columns, "")
    return _Table(lines, values, [tuple(row) for row in values.tolist()])


def _polygons(rows: list[tuple[int, list[str]]], lines: list[int], widths: set[int], loader: Loader) -> _Table:
    if loader.mixed == "drop" and 5 in widths:
        raise _GivenUp("drop", "mixed-rows")
    values, keys, misread = [], [], set[int]()
    for line, tokens in rows:
        numbers = np.array(_floats(tokens, loader), dtype=np.float32)
        if len(numbers) % 2 == 0 or len(numbers) < 3:
            raise _GivenUp(loader.unreadable, "")
        x, y = numbers[1::2], numbers[2::2]
        values.append([numbers[0], (x.min() + x.max()) / 2, (y.min() + y.max()) / 2, x.max() - x.min(), y.max() - y.min()])
        keys.append(tuple(numbers.tolist()) if loader.mixed == "drop" else tuple(np.array(values[-1], dtype=np.float32).tolist()))
        if len(tokens) == 5:
            misread.add(line)
    return _Table(lines, np.array(values, dtype=np.float32), keys, misread)


def _floats(tokens: Sequence[str], loader: Loader) -> list[float]:
    try:
        return [float(token) for token in tokens]
    except ValueError:
        raise _GivenUp(loader.unreadable, "") from None


def _check(rows: NDArray[np.float32], loader: Loader) -> None:
    """The tests that cost the image.

    Raises:
        _GivenUp: one fails.
    """
    cls, centre, size = rows[:, 0], rows[:, 1:3], rows[:, 3:]
    if not np.isfinite(rows).all():
        raise _GivenUp(loader.out_of_range, "not-finite")
    if (cls < 0).any():
        raise _GivenUp(loader.out_of_range, "class-out-of-range")
    if (size < 0).any():
        raise _GivenUp(loader.out_of_range, "size-not-positive")
    if (centre < np.float32(loader.low)).any() or (rows[:, 1:] > np.float32(loader.high)).any():
        # which of the rules it is, the reading knows: a pixel, a centre, a size or a point
        raise _GivenUp(loader.out_of_range, "")
    if loader.fraction == "drop" and (cls != np.trunc(cls)).any():
        raise _GivenUp("drop", "class-not-integer")


def _kept(table: _Table, loader: Loader) -> list[int]:
    """Indices of the rows that stay once repeats are dealt with, in the loader's order.

    Raises:
        _GivenUp: repeats cost the image.
    """
    first: dict[tuple[float, ...], int] = {}
    for index, key in enumerate(table.keys):
        first.setdefault(key, index)
    if loader.duplicates == "keep" or len(first) == len(table.keys):
        return list(range(len(table.keys)))
    if loader.duplicates == "drop":
        raise _GivenUp("drop", "duplicate-box")
    return [first[key] for key in sorted(first)]
