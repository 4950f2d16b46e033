"""Runs beside one another, as plain values. The field names are those of the JSON report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

Run = TypeVar("Run")  # the facts of one run
Change = Literal["lost", "only_first", "fewer", "gained", "only_second", "more"]
CHANGES: tuple[Change, ...] = ("lost", "only_first", "fewer", "gained", "only_second", "more")


@dataclass(frozen=True, slots=True)
class BoxChange:
    """One box whose positives differ. change: which way. before, after: its positives, None in the run that does not have the box.

    path: below the root of the data. width, height: px at the network input of the run that has it, the first of both.
    reason: why it has none now, or had none before. loss_before, loss_after: all its terms, None where no loss was computed.
    """

    change: Change
    path: str
    line: int
    name: str
    width: float
    height: float
    before: int | None
    after: int | None
    reason: str
    loss_before: float | None = None
    loss_after: float | None = None


@dataclass(frozen=True, slots=True)
class BoxMoves:
    """All boxes of a run against those of the first one, matched by file, line and class. run: its place. both: boxes that both have.

    same: with as many positives as before. counts: the others by `Change`: all positives lost, boxes that the other loader does not
    keep, fewer positives, and the same the other way. boxes: those that changed, worst first, as many as were asked for.
    """

    run: int
    both: int
    same: int
    counts: Mapping[Change, int]
    boxes: tuple[BoxChange, ...]


@dataclass(frozen=True, slots=True)
class KeyMoves:
    """One key of the hyp. hyp, used: what the file says and what the loss multiplies with, a value a run, None in a run whose family does
    not read the key; used is None for keys that are no gain. note: what it would do in the other run. off_scale: there it would be far
    from what is usual."""

    key: str
    hyp: tuple[float | str | bool | None, ...]
    used: tuple[float | None, ...]
    note: str
    off_scale: bool


@dataclass(frozen=True, slots=True)
class CompareFacts(Generic[Run]):
    """R runs. option: the one that holds a list, "" for saved runs. runs: name and facts of each, without their boxes.

    settings: those that differ, a text a run. keys: those that differ. lost: rows that the loader does not keep, by rule, where that
    differs. moves: for each run after the first. by_head: whether its assignment asks what the head says, a run each.
    """

    option: str
    runs: tuple[tuple[str, Run], ...]
    settings: tuple[tuple[str, tuple[str, ...]], ...]
    keys: tuple[KeyMoves, ...]
    lost: Mapping[str, tuple[int, ...]]
    moves: tuple[BoxMoves, ...]
    by_head: tuple[bool, ...]
