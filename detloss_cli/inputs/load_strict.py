"""The strict loader, and those like it: each row with an error is left out, alone."""

from __future__ import annotations

from collections.abc import Collection

from detloss_cli.inputs.loaded import Fate, Loaded, LoadedBox
from detloss_cli.inputs.loaders import STRICT_DROPS
from detloss_cli.inputs.row import Row
from detloss_cli.inputs.row_text import FileReading


def load_strict(reading: FileReading, path: str = "", accepts: Collection[str] = ()) -> Loaded:
    """Keep the rows of a file that no error stands at.

    In a file that mixes boxes and polygons, rows of the other form than its first row are in error.

    Args:
        path: goes into the fates. accepts: kinds of error that pass.
    """
    loaded = Loaded()
    written = reading.written
    main = next((row.form for row in written if row.form != "none"), "none")
    of_file = next((fault.kind for fault in reading.faults if fault.kind in ("not-utf8", "line-too-long")), "not-numeric")
    for row in written:
        kind = _error(row, main, of_file, accepts)
        if kind is None:
            loaded.boxes.append(LoadedBox(row.line, row.cls or 0, *row.box()))
            passed = next((fault.kind for fault in row.faults if fault.kind in accepts), None)
            if passed is not None:
                loaded.fates.append(Fate("accept", path, row.line, passed, 1))
        else:
            loaded.lost[kind] = loaded.lost.get(kind, 0) + 1
    return loaded


def _error(row: Row, main: str, of_file: str, accepts: Collection[str]) -> str | None:
    kind = next((fault.kind for fault in row.faults if fault.kind in STRICT_DROPS and fault.kind not in accepts), None)
    if kind is None and row.form == "none":
        return of_file
    return "mixed-rows" if kind is None and row.form != main else kind
