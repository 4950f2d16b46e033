"""How long a user waits before detloss does anything: the help page, a mistake in the arguments, a small lint."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from in_turn import Row, medians

ROOT = Path(__file__).resolve().parents[1]
DETLOSS = str(Path(sys.executable).parent / "detloss")
DATA = str(ROOT / "sample_data" / "vegetables" / "data.yaml")


def quiet(code: int, *command: str) -> None:
    """A call that has to end with this exit code: a benchmark of something that fails early measures nothing."""
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != code:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}, not {code}: {done.stderr[-300:]}")


def measure(full: bool) -> Iterator[Row]:
    rounds = 21 if full else 5
    for what, code, arguments, goal in (
        ("detloss --help", 0, ("--help",), "0.2 s"),
        ("a mistake in the arguments", 2, ("compute", "--no-such-option"), "0.2 s"),
        ("inspect labels, 34 pictures", 0, ("inspect", "labels", DATA), "torch not imported"),
    ):
        ours, bare = medians(partial(quiet, code, DETLOSS, *arguments), partial(quiet, 0, sys.executable, "-c", "pass"), rounds)
        yield Row(what, ours, "python -c pass", bare, goal)
