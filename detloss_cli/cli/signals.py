"""SIGTERM and Ctrl-C end a run wherever it stands, in a callback of the interpreter as well, whose exceptions it reports and forgets."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any, NoReturn

# Until what was lost in a callback comes again: long enough for the callback to end.
AGAIN_SECONDS = 0.01


class Terminated(BaseException):
    """SIGTERM, raised where the program stands, so that files in hand are put away."""


@contextlib.contextmanager
def raised() -> Iterator[None]:
    """Signals are raised in what runs under it."""
    hook = sys.unraisablehook
    with contextlib.suppress(ValueError):  # not the main thread
        signal.signal(signal.SIGTERM, _terminate)
        sys.unraisablehook = _again
    try:
        yield
    finally:
        sys.unraisablehook = hook
        if hasattr(signal, "setitimer") and signal.getsignal(signal.SIGALRM) in (_terminate, signal.default_int_handler):
            signal.setitimer(signal.ITIMER_REAL, 0)  # what comes too late ends nothing any more


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise Terminated


def _again(lost: Any) -> None:
    """Raises a signal once more that came while an object was put away or an import unlocked; reports anything else as ever."""
    if not isinstance(lost.exc_value, Terminated | KeyboardInterrupt) or not hasattr(signal, "setitimer"):
        sys.__unraisablehook__(lost)
        return
    signal.signal(signal.SIGALRM, _terminate if isinstance(lost.exc_value, Terminated) else signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
