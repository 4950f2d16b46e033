"""The same data under several choices, or saved runs, beside one another."""

from __future__ import annotations

from collections.abc import Sequence

from detloss_cli.diagnose.compare_runs import compared
from detloss_cli.diagnose.loss import Outcome, compute
from detloss_cli.facts import Facts
from detloss_cli.facts.saved_run import facts_of
from detloss_cli.finding import Finding
from detloss_cli.inputs.run_file import read_columns
from detloss_cli.reading import Shelf
from detloss_cli.resolve import Request, setup

OF_A_RUN = ("DET4", "DET5")  # stages of findings that tell of one run's targets and loss: here its figures do


def compare_saved(paths: Sequence[str], listed: int, most: int) -> Outcome:
    """Runs that were saved, named by their files. most: bytes of one in memory.

    Raises:
        DetlossError: a file is no saved run.
    """
    runs = [(name, facts_of(read_columns(path, most), path)) for name, path in zip(_short(paths), paths, strict=True)]
    data = runs[0][1].data
    return Facts("compare", data=data, compare=compared("", runs, listed)), []


def compare_data(option: str, requests: Sequence[tuple[str, Request]], listed: int) -> Outcome:
    """One data set, a request a value of the option; its labels are read once a loader.

    Raises:
        DetlossError: a value means nothing, or cannot be computed.
    """
    for _, request in requests:
        setup(request)  # a wrong word is said before anything is read
    read = Shelf()
    runs: list[tuple[str, Facts]] = []
    findings: dict[Finding, None] = {}
    for name, request in requests:
        facts, found = compute(request, read=read, marks=False)
        runs.append((name, facts))
        findings |= dict.fromkeys(one for one in found if not one.code.startswith(OF_A_RUN))
    first = runs[0][1]
    return Facts("compare", data=first.data, compare=compared(option, runs, listed)), list(findings)


def _short(paths: Sequence[str]) -> list[str]:
    """The ends of paths, as long as it takes to tell them apart."""
    parts = [path.replace("\\", "/").rstrip("/").split("/") for path in paths]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(one[-length:]) for one in parts]
        if len(set(names)) == len(names):
            return names
    return list(paths)
