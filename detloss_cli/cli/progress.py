"""A sign of life on stderr, only where somebody watches."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def busy(what: str, *, quiet: bool) -> Iterator[None]:
    """A spinner while the block runs; nothing in a pipe, on a dumb terminal or with --quiet."""
    # not console.is_terminal: FORCE_COLOR asks for colours in a pipe, not for a spinner
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    console = Console(file=sys.stderr)
    if console.is_dumb_terminal:
        yield
        return
    with console.status(what):
        yield
