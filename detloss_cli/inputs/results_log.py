"""The epochs that a trainer has logged: results.csv of yolov5 6 and later and of ultralytics, results.txt of older yolov5 and of yolov7."""

from __future__ import annotations

from dataclasses import dataclass

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.small_file import read_bytes

MAX_BYTES = 64 << 20
MOST_EPOCHS = 1e9
# results.txt: epoch/last, memory, then these means of the training batches.
OLD_COLUMNS = ("box", "obj", "cls", "total")


@dataclass(frozen=True, slots=True)
class EpochLog:
    """path: of the file. epochs: number of each row, from 0. terms: training loss by term, a value an epoch. unread: rows that are none."""

    path: str
    epochs: tuple[int, ...]
    terms: dict[str, tuple[float, ...]]
    unread: int


def read_log(path: str) -> EpochLog:
    """Read a log; what cannot be read is counted, never guessed.

    Raises:
        DetlossError: it cannot be opened, or is larger than any log.
    """
    body = read_bytes(path, max_bytes=MAX_BYTES)
    if body is None:
        raise DetlossError(f"more than {MAX_BYTES >> 20} MiB of epochs", where=path, hint="move it away to go on without the log")
    lines = body.decode("utf-8", "replace").splitlines()
    rows = [line for line in lines if line.strip()]
    if path.endswith(".txt"):
        return _table(path, OLD_COLUMNS, [_old_cells(row) for row in rows])
    head = [cell.strip() for cell in rows[0].split(",")] if rows else []
    wanted = {name: column.removeprefix("train/").removesuffix("_loss") for name, column in enumerate(head) if _is_training(column)}
    first = head.index("epoch") if "epoch" in head else -1
    return _table(path, tuple(wanted.values()), [_cells(row, first, tuple(wanted), len(head)) for row in rows[1:]])


def _is_training(column: str) -> bool:
    return column.startswith("train/") and column.endswith("_loss")


def _table(path: str, names: tuple[str, ...], rows: list[list[float]]) -> EpochLog:
    """A run that was resumed writes some epochs twice: the later row counts."""
    good = {int(row[0]): row[1:] for row in rows if row and abs(row[0]) < MOST_EPOCHS}
    epochs = tuple(sorted(good))
    terms = {name: tuple(good[epoch][place] for epoch in epochs) for place, name in enumerate(names)}
    return EpochLog(path, epochs, terms, sum(not row or not abs(row[0]) < MOST_EPOCHS for row in rows))


def _cells(row: str, first: int, columns: tuple[int, ...], width: int) -> list[float]:
    cells = row.split(",")
    if first < 0 or len(cells) != width or not columns:
        return []
    return _numbers([cells[first], *(cells[column] for column in columns)])


def _old_cells(row: str) -> list[float]:
    cells = row.split()
    return _numbers([cells[0].split("/")[0], *cells[2 : 2 + len(OLD_COLUMNS)]]) if len(cells) >= 2 + len(OLD_COLUMNS) else []


def _numbers(cells: list[str]) -> list[float]:
    try:
        return [float(cell) for cell in cells]
    except ValueError:
        return []
