"""The entry point: runs the app and turns whatever happens into one line and the exit code that stands for it."""

from __future__ import annotations

import contextlib
import gc
import os
import sys

from detloss_cli.cli.signals import Terminated, raised
from detloss_cli.errors import INTERRUPTED, TERMINATED


def main() -> None:
    """`detloss`"""
    # A process of one task: looking for cycles among a million paths, again and again and at the end, takes longer than they are worth.
    gc.set_threshold(100_000, 50, 50)
    code = run(sys.argv[1:])
    gc.freeze()
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """The exit code of one command line; nothing leaves it but that."""
    _replace_closed_streams()
    try:
        with raised():
            from detloss_cli.cli.guard import guarded

            code = guarded(arguments)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Terminated:
        code = TERMINATED
    _flush()
    return code


def _replace_closed_streams() -> None:
    """`>&-` leaves a stream None; what is written then goes nowhere."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _flush() -> None:
    """Writes what is left; where nobody reads any more, the interpreter must not complain at its end either."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
