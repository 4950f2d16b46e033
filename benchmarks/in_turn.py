"""Callables timed in turn, so that a busy neighbour troubles all alike, and what a process took: its wall time and its memory."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["ratio", "times", "most"]
SAMPLE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Goal:
    """ratio: ours over theirs is at most `value`. times: theirs over ours is at least that. most: ours is at most that, in its unit."""

    kind: Kind
    value: float

    def text(self, unit: str) -> str:
        """As the table prints it."""
        return {"ratio": f"≤ {self.value:g}×", "times": f"≥ {self.value:g}× faster", "most": f"≤ {self.value:g} {unit}"}[self.kind]

    def holds(self, ours: float, theirs: float | None) -> bool:
        if self.kind == "most":
            return ours <= self.value
        if theirs is None:
            return False
        return ours <= self.value * theirs if self.kind == "ratio" else theirs >= self.value * ours


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    what: was measured. ours, theirs: medians in `unit`. peer: what theirs is, "" and None where there is no other.
    goal: what has to hold, None for a number that is only shown. memory: peak of all processes of ours together, MB.
    """

    what: str
    ours: float
    peer: str = ""
    theirs: float | None = None
    goal: Goal | None = None
    memory: float | None = None
    unit: str = "s"

    @property
    def holds(self) -> bool | None:
        """None where there is no goal."""
        return None if self.goal is None else self.goal.holds(self.ours, self.theirs)


def in_turn(calls: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """Median seconds of each, one round of all to warm up."""
    times: list[list[float]] = [[] for _ in calls]
    for turn in range(rounds + 1):
        for kept, call in zip(times, calls, strict=True):
            started = time.perf_counter()
            call()
            if turn:
                kept.append(time.perf_counter() - started)
    return [statistics.median(kept) for kept in times]


def processor_times(calls: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """As `in_turn`, in seconds of processor time of the processes that a call starts: a busy neighbour hardly troubles them."""
    times: list[list[float]] = [[] for _ in calls]
    for turn in range(rounds + 1):
        for kept, call in zip(times, calls, strict=True):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            call()
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            if turn:
                kept.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return [statistics.median(kept) for kept in times]


def medians(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Two callables in turn."""
    first, second = in_turn((ours, theirs), rounds)
    return first, second


def run(command: Sequence[str], codes: Sequence[int] = (0,), env: dict[str, str] | None = None) -> str:
    """What a command prints. One that ends with another code than expected raises: what fails early measures nothing."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:  # no pipe: nobody has to read along
        code = subprocess.run(command, stdout=out, stderr=err, check=False, env=env).returncode
        if code not in codes:
            err.seek(0)
            raise RuntimeError(f"{' '.join(command)} ended with {code}: {err.read()[-500:].decode(errors='replace')}")
        out.seek(0)
        return out.read().decode(errors="replace")


def peak_memory(command: Sequence[str], codes: Sequence[int] = (0,), env: dict[str, str] | None = None) -> float:
    """The most memory that a command and all its processes held at one time, in MB: shared pages count once (PSS of Linux)."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    most = 0
    while process.poll() is None:
        most = max(most, sum(_pss(pid) for pid in _tree(process.pid)))
        time.sleep(SAMPLE_SECONDS)
    if process.returncode not in codes:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return most / 1e3


def _tree(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            below = [int(word) for word in file.read().split()]
    except OSError:
        return [pid]
    return [pid, *(one for child in below for one in _tree(child))]


def _pss(pid: int) -> int:
    """kB of a process, 0 where it is gone."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("Pss:")), 0)
    except OSError:
        return 0


def cores() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
