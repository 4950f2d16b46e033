"""What reading costs, counted instead of clocked: system calls a file, Python calls a row, memory a file."""

from __future__ import annotations

import os
import sys
import tracemalloc
from collections import Counter
from pathlib import Path
from types import FrameType

import pytest

from detloss_cli.inputs.columns import empty
from detloss_cli.inputs.limits import DEFAULT
from detloss_cli.inputs.read_labels import read_labels
from detloss_cli.inputs.rows import read_rows

ROW = "3 0.512345 0.5 0.25 0.125\n"
CALLS = ("open", "fstat", "stat", "read", "close")


def write(folder: Path, files: int, rows: int) -> list[str]:
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{number:05d}.txt" for number in range(files)]
    for path in paths:
        path.write_text(ROW * rows)
    return [str(path) for path in paths]


def calls_of(work: object) -> int:
    """Calls of Python functions, ours and others', while `work` runs."""
    seen = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal seen
        seen += event == "call"

    sys.setprofile(count)
    try:
        work()  # type: ignore[operator]
    finally:
        sys.setprofile(None)
    return seen


@pytest.mark.parametrize("files", [1, 50])
def test_a_file_is_opened_looked_at_read_and_closed_once(files: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = write(tmp_path / "labels", files, 4)
    seen: Counter[str] = Counter()
    for name in CALLS:
        inner = getattr(os, name)

        def counted(*args: object, _inner: object = inner, _name: str = name, **kwargs: object) -> object:
            seen[_name] += 1
            return _inner(*args, **kwargs)  # type: ignore[operator]

        monkeypatch.setattr(os, name, counted)
    found = read_labels(paths, str(tmp_path), "strict", 80, DEFAULT)
    assert len(found.strict.image) == 4 * files
    # and their folder once, for all of them
    assert seen == {"open": files + 1, "fstat": files, "read": files, "close": files + 1}


def test_a_clean_row_costs_no_call_of_python() -> None:
    few, many = ([(ROW * rows).encode()] * 20 for rows in (1, 200))
    read_rows(few, 80, DEFAULT)  # what is imported late is there
    assert calls_of(lambda: read_rows(few, 80, DEFAULT)) == calls_of(lambda: read_rows(many, 80, DEFAULT))


def test_a_clean_file_costs_a_fixed_number_of_calls(tmp_path: Path) -> None:
    """Three functions open and read a file; none looks at it again."""
    few, many = (write(tmp_path / str(files), files, 2) for files in (100, 300))

    def reading(paths: list[str]) -> int:
        return calls_of(lambda: read_labels(paths, str(tmp_path), "strict", 80, DEFAULT))

    reading(few)
    assert reading(many) - reading(few) <= 200 * 5


def test_memory_grows_by_the_columns_alone(tmp_path: Path) -> None:
    """Beside the columns, which hold 36 bytes a box, and 8 bytes an image, a shard's worth is all that is held at a time."""
    import detloss_cli.inputs.read_labels as module

    rows, before = 20, module.SHARD_FILES
    module.SHARD_FILES = 50
    try:
        peaks = []
        for files in (400, 1200):
            paths = write(tmp_path / str(files), files, rows)
            read_labels(paths, str(tmp_path), "strict", 80, DEFAULT)
            tracemalloc.start()
            read_labels(paths, str(tmp_path), "strict", 80, DEFAULT)
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    finally:
        module.SHARD_FILES = before
    row = sum(
        column.dtype.itemsize * (4 if name == "boxes" else 1)
        for name, column in ((n, getattr(empty(), n)) for n in ("image", "line", "cls", "boxes"))
    )
    # parts and the whole stand beside each other at the end
    assert peaks[1] - peaks[0] < 800 * (2 * rows * row + 8 + 150)
