"""The command that reads a whole set, as the benchmarks of reading call it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from in_turn import run
from workplace import DETLOSS, Place

HERE = Path(__file__).resolve().parent
STYLES = ("fixed", "long", "mixed")


def inspect(data: Path, place: Place, *more: str) -> tuple[str, ...]:
    """`detloss inspect labels` of a set, with a cache of its own and no output to speak of."""
    return (DETLOSS, "inspect", "labels", str(data / "data.yaml"), "--cache-dir", str(place.folder / "cache"), "--format", "json", *more)


def cold(data: Path, place: Place, codes: tuple[int, ...] = (0,)) -> str:
    """Read everything, and keep it, as the first run of a user does."""
    shutil.rmtree(place.folder / "cache", ignore_errors=True)
    return run(inspect(data, place), codes)


def plain(data: Path) -> tuple[str, ...]:
    """The plain loop over the same files."""
    return (sys.executable, str(HERE / "plain_loop.py"), str(data / "labels" / "train"))
