"""Many label files at once, bytes to columns: a file of clean rows never costs a Python loop.

The joined bytes are checked as an array (which bytes, where the blanks and dots stand, five tokens a line), then read by one call. A file
with anything else in it, or with a value out of range, is handed back by its index, to be read line by line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detloss_cli.inputs.decimals import MARGIN, MOST_BYTES, read_decimals
from detloss_cli.inputs.limits import Limits

PLAIN = b"0123456789. \t\r\n"
DOT, LF, CR = ord("."), ord("\n"), ord("\r")
# Longer ones are numbers as well, but not of the kind that a check by columns can vouch for.
MAX_TOKEN, MAX_CLASS_DIGITS = 40, 9


@dataclass(frozen=True, slots=True)
class CleanRows:
    """The boxes of the clean files of a batch, in file order. N boxes.

    file: (N,) int64, index into the batch. line: (N,) int32, 1-based. cls: (N,) int64. boxes: (N, 4) float32, as `Labels.boxes`.
    dirty: indices of the files that were left out and want the exact path.
    """

    file: NDArray[np.int64]
    line: NDArray[np.int32]
    cls: NDArray[np.int64]
    boxes: NDArray[np.float32]
    dirty: tuple[int, ...]


def read_rows(contents: Sequence[bytes], num_classes: int | None, limits: Limits) -> CleanRows:
    """Read a batch of label files.

    Args:
        contents: the bytes of each file; an empty one holds no rows and is clean.
        num_classes: C, None if unknown.
    """
    plain = np.ones(len(contents), dtype=bool)
    joined = _join(contents)
    if joined.translate(None, PLAIN):
        plain = np.array([not data.translate(None, PLAIN) for data in contents], dtype=bool)
        contents = [data if ok else b"" for data, ok in zip(contents, plain, strict=True)]
        joined = _join(contents)
    layout = _Layout(joined, np.array([len(data) for data in contents], dtype=np.int64))
    bad = layout.bad_files(limits)
    if bad.any():
        # What a broken file leaves behind cannot be told apart in the joined numbers, so the rest is joined anew.
        contents = [b"" if flag else data for data, flag in zip(contents, bad, strict=True)]
        joined = _join(contents)
        layout = _Layout(joined, np.array([len(data) for data in contents], dtype=np.int64))
    file, line = layout.places()
    cls, boxes = layout.values(joined, contents)
    dirty = bad | ~plain
    ok = _in_range(cls, boxes, num_classes if num_classes is not None else limits.names)
    if not ok.all():
        dirty[file[~ok]] = True
        keep = ~dirty[file]
        file, line, cls, boxes = file[keep], line[keep], cls[keep], boxes[keep]
    return CleanRows(file, line, cls, boxes, tuple(np.flatnonzero(dirty).tolist()))


def _join(contents: Sequence[bytes]) -> bytes:
    """The files, each followed by one LF more than it holds."""
    return b"\n".join([*contents, b""])


def _in_range(cls: NDArray[np.int64], boxes: NDArray[np.float32], bound: int) -> NDArray[np.bool_]:
    ok: NDArray[np.bool_] = (cls < bound) & (boxes <= 1).all(axis=1) & (boxes[:, 2] > 0) & (boxes[:, 3] > 0)
    return ok


class _Layout:
    """Where the tokens of a joined text of plain bytes stand.

    Args:
        joined: the files, each followed by one LF more than it holds.
        sizes: (F,) bytes of each file.
    """

    def __init__(self, joined: bytes, sizes: NDArray[np.int64]) -> None:
        text = np.frombuffer(joined, dtype=np.uint8)
        self.sizes = sizes
        marks = np.flatnonzero(text <= DOT)  # blanks and dots
        at = np.flatnonzero(text[marks] != DOT)
        blank = marks[at]
        dots = np.diff(at, prepend=-1) - 1
        length = np.diff(blank, prepend=-1) - 1
        is_end = text[blank] == LF
        line_of_blank = np.cumsum(is_end) - is_end
        is_token = length > 0
        token_line, dots, length = line_of_blank[is_token], dots[is_token], length[is_token]
        self.end, self.length = blank[is_token], length
        self.dot = np.where(dots > 0, marks[at[is_token] - 1], -1)
        line_ends = blank[is_end]
        self.tokens = np.bincount(token_line, minlength=len(line_ends))
        odd = (dots > 1) | (length == dots) | (length > MAX_TOKEN)
        first = np.diff(token_line, prepend=-1) > 0
        odd |= first & ((dots > 0) | (length > MAX_CLASS_DIGITS))
        self.bad_line = (self.tokens != 5) & (self.tokens != 0)
        self.bad_line[token_line[odd]] = True
        stray_cr = (text[blank[:-1]] == CR) & (text[blank[:-1] + 1] != LF)
        self.bad_line[line_of_blank[:-1][stray_cr]] = True
        self.file = np.searchsorted(np.cumsum(sizes + 1) - 1, line_ends, side="left")
        self.lines = np.bincount(self.file, minlength=len(sizes))

    def bad_files(self, limits: Limits) -> NDArray[np.bool_]:
        """(F,) True where a file holds anything but clean rows and blanks after the last of them."""
        bad = np.zeros(len(self.sizes), dtype=bool)
        bad[self.file[self.bad_line]] = True
        last_row = np.full(len(self.sizes), -1)
        rows = np.flatnonzero(self.tokens)
        last_row[self.file[rows]] = rows
        blanks = np.flatnonzero(self.tokens == 0)
        bad[self.file[blanks[blanks < last_row[self.file[blanks]]]]] = True
        return bad | ((self.sizes > 0) & (last_row < 0)) | (self.lines > limits.rows + 1)

    def values(self, joined: bytes, contents: Sequence[bytes]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """(N,) class ids and (N, 4) boxes of all rows.

        Args:
            joined, contents: the text that was laid out, all of it rows.
        """
        end, length, dot = (table.reshape(-1, 5) for table in (self.end, self.length, self.dot))
        long = (length > np.where(dot >= 0, MOST_BYTES, MOST_BYTES - 1)).any(axis=1)
        if not long.any():
            return _values(joined, end, length, dot)
        # a file with longer numbers is read by a parser of text, and alone: it knows no places to begin at
        file = self.file[self.tokens > 0]
        slow = np.zeros(len(self.sizes), dtype=bool)
        slow[file[long]] = True
        rows = slow[file]
        text = _join([contents[n] for n in np.flatnonzero(slow).tolist()])
        numbers = np.fromstring(text, dtype=np.float64, sep=" ").reshape(-1, 5)
        if rows.all():
            return numbers[:, 0].astype(np.int64), numbers[:, 1:].astype(np.float32)
        cls, boxes = np.empty(len(rows), dtype=np.int64), np.empty((len(rows), 4), dtype=np.float32)
        cls[rows], boxes[rows] = numbers[:, 0], numbers[:, 1:]
        cls[~rows], boxes[~rows] = _values(joined, end[~rows], length[~rows], dot[~rows])
        return cls, boxes

    def places(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """(N,) file and 1-based line of every row."""
        rows = np.flatnonzero(self.tokens)
        first_line = np.cumsum(self.lines) - self.lines
        file = self.file[rows]
        return file, (rows - first_line[file] + 1).astype(np.int32)


def _values(
    joined: bytes, end: NDArray[np.int64], length: NDArray[np.int64], dot: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Class ids and boxes from the (N, 5) places of their tokens, none of them long."""
    text = b" " * MARGIN + joined
    ids = read_decimals(text, end[:, 0] + MARGIN, length[:, 0], dot[:, 0])
    rest = dot[:, 1:].reshape(-1)
    numbers = read_decimals(text, end[:, 1:].reshape(-1) + MARGIN, length[:, 1:].reshape(-1), np.where(rest >= 0, rest + MARGIN, -1))
    return ids.astype(np.int64), numbers.astype(np.float32).reshape(-1, 4)
