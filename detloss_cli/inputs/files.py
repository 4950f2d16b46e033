"""Open what a data set brings along without being caught by it: no link followed, no FIFO waited for, nothing larger than the limit."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from operator import attrgetter

FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


# Form, size, modification and change time in ns, and inode of a file: what tells it from a changed one. One call for all, a million times.
Stamp = tuple[int, int, int, int, int]
FORM = 0o170000  # of st_mode: the bits that say file, folder, FIFO ...
STAMP = attrgetter("st_mode", "st_size", "st_mtime_ns", "st_ctime_ns", "st_ino")


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a file was not read. kind: the name of the rule that judges it. detail: the system's word on it, or a size in bytes."""

    kind: str
    detail: str = ""


def read_file(name: str, limit: int, dir_fd: int | None = None) -> bytes | Refused:
    """All bytes of a regular file.

    Args:
        name: a path, or a name inside `dir_fd`.
        limit: bytes; a larger file is refused unread.
    """
    found = read_known(name, limit, dir_fd)
    return found if isinstance(found, Refused) else found[0]


def read_known(name: str, limit: int, dir_fd: int | None = None) -> tuple[bytes, os.stat_result] | Refused:
    """As `read_file`, with what was known of the file before it was read."""
    try:
        fd = os.open(name, FLAGS, dir_fd=dir_fd)
    except OSError as error:
        return refusal(error)
    try:
        known = os.fstat(fd)
        size = known.st_size
        if known.st_mode & FORM != stat.S_IFREG:
            return Refused("not-a-file", _form(known.st_mode))
        if size > limit:
            return Refused("label-too-big", str(size))
        data = os.read(fd, size + 1)
        if len(data) == size:
            return data, known
        whole = _read_on(fd, data, size, limit)
        return whole if isinstance(whole, Refused) else (whole, known)
    except OSError as error:
        return refusal(error)
    finally:
        os.close(fd)


def _read_on(fd: int, data: bytes, size: int, limit: int) -> bytes | Refused:
    """The rest of a file that gave less than asked for, or has grown since it was looked at."""
    parts, total = [data], len(data)
    while total <= limit and (more := os.read(fd, min(1 << 20, limit + 1 - total))):
        parts.append(more)
        total += len(more)
    return b"".join(parts) if total == size else Refused("changed-during-scan", f"{size} bytes, then {total}")


def refusal(error: OSError) -> Refused:
    """The rule that an error of the system belongs to."""
    if error.errno == errno.ELOOP:
        return Refused("symlink", "")
    if error.errno == errno.ENOENT:
        return Refused("changed-during-scan", "it is gone")
    if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOMEM):
        raise error
    if error.errno in (errno.ENXIO, errno.EISDIR):
        return Refused("not-a-file", "")
    return Refused("unreadable-file", error.strerror or "")


def _form(mode: int) -> str:
    for test, word in ((stat.S_ISDIR, "a folder"), (stat.S_ISFIFO, "a FIFO"), (stat.S_ISSOCK, "a socket")):
        if test(mode):
            return word
    return "a device"
