"""An audit hook: inside the block, what would write, run, connect or unpickle fails at once."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

FORBIDDEN = frozenset(
    {
        "exec", "compile", "pickle.find_class", "marshal.loads", "ctypes.dlopen", "os.system",
        "os.exec", "os.posix_spawn", "os.fork", "os.forkpty",
        "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod", "os.chown", "os.truncate",
        "os.utime", "os.putenv",
        "shutil.rmtree", "shutil.move", "shutil.copyfile", "tempfile.mkstemp", "tempfile.mkdtemp", "import",
    }
)  # fmt: skip
FAMILIES = ("subprocess.", "socket.", "urllib.", "ftplib.", "smtplib.", "http.")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

_armed: set[int] = set()
_installed: list[bool] = []


class Forbidden(BaseException):
    """Not an Exception, so that no reader swallows it."""


@contextmanager
def guarded() -> Iterator[None]:
    """Only in this thread, only in this block."""
    if not _installed:
        sys.addaudithook(_hook)
        _installed.append(True)
    _armed.add(threading.get_ident())
    try:
        yield
    finally:
        _armed.discard(threading.get_ident())


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if threading.get_ident() not in _armed:
        return
    if event in FORBIDDEN or event.startswith(FAMILIES):
        raise Forbidden(f"{event} {arguments!r:.200}")
    if event == "open":
        _, mode, flags = arguments
        writes = isinstance(mode, str) and any(letter in mode for letter in "wax+")
        if writes or (isinstance(flags, int) and flags & WRITES):
            raise Forbidden(f"open to write {arguments!r:.200}")
