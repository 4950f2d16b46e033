"""How long a user waits before detloss does anything: the help page, a mistake in the arguments or in a file, a small lint."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial

from in_turn import Goal, Row, medians, peak_memory, run
from workplace import DETLOSS, ROOT, Place

SAMPLE = str(ROOT / "sample_data" / "vegetables" / "data.yaml")
BARE = (sys.executable, "-c", "pass")


def prepare(place: Place) -> None:
    """Nothing: the sample data are there."""


def measure(place: Place) -> Iterator[Row]:
    for what, code, arguments, goal in (
        ("detloss --help", 0, ("--help",), Goal("most", 0.2)),
        ("a mistake in the arguments", 2, ("compute", "--no-such-option"), Goal("most", 0.2)),
        ("a data.yaml that is not there", 2, ("compute", "no/such/data.yaml"), Goal("most", 0.2)),
        ("inspect labels, 34 pictures", 0, ("inspect", "labels", SAMPLE), Goal("most", 0.5)),
    ):
        command = (DETLOSS, *arguments)
        ours, bare = medians(partial(run, command, (code,)), partial(run, BARE), 3 * place.rounds)
        yield Row(what, ours, "python -c pass", bare, goal, peak_memory(command, (code,)))
