"""What tells a file from a changed one: size, modification and change time in nanoseconds, inode, and on request its content."""

from __future__ import annotations

import os
import stat
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

WIDTH = 4
DIGEST = 16
# Two writes within one tick of a file system's clock leave the same times; no common one ticks slower. What is that young is not kept.
TICK_NS = 2_000_000_000
INODE_MASK = (1 << 63) - 1


@dataclass(slots=True)
class Stamps:
    """Stamps taken while files are read.

    hashed: take digests as well. started: clock in ns when the first file was opened. files: index of each file.
    keys: four numbers a file. digests: `DIGEST` bytes a file, empty unless `hashed`.
    """

    hashed: bool = False
    started: int = field(default_factory=time.time_ns)
    files: list[int] = field(default_factory=list)
    keys: array[int] = field(default_factory=lambda: array("q"))
    digests: bytearray = field(default_factory=bytearray)

    def add(self, file: int, stamp: list[int], data: bytes = b"") -> None:
        """Take a stamp in, unless it is empty (a link) or as young as the run itself.

        Args:
            stamp: size, mtime, ctime, inode. data: what was read.
        """
        if len(stamp) != WIDTH or max(stamp[1], stamp[2]) > self.started - TICK_NS:
            return
        stamp[3] &= INODE_MASK
        self.files.append(file)
        self.keys.extend(stamp)
        if self.hashed:
            self.digests += digest(data)

    def key_table(self) -> NDArray[np.int64]:
        """(F, 4)."""
        return np.array(self.keys, dtype=np.int64).reshape(-1, WIDTH)

    def digest_table(self) -> NDArray[np.uint8]:
        """(F, 16), or (F, 0) if nothing was hashed."""
        return np.frombuffer(bytes(self.digests), dtype=np.uint8).reshape(len(self.files), -1 if self.files and self.hashed else 0)


def digest(data: bytes) -> bytes:
    """The content of a file in 16 bytes."""
    return blake2b(data, digest_size=DIGEST).digest()


def stamps_now(paths: Sequence[str], *, follow: bool) -> NDArray[np.int64]:
    """(F, 4) stamps of files as they are now, -1 where there is no regular file.

    Args:
        follow: of what a link points at; otherwise a link has no stamp.
    """
    found = array("q")
    where: str | None = None
    fd: int | None = None
    try:
        for path in paths:
            folder, _, name = path.rpartition("/")
            if folder != where:
                if fd is not None:
                    os.close(fd)
                    fd = None
                where = folder
                fd = _open_folder(folder)
            found.extend(_stamp(name if fd is not None else path, fd, follow))
    finally:
        if fd is not None:
            os.close(fd)
    return np.array(found, dtype=np.int64).reshape(-1, WIDTH)


def _open_folder(folder: str) -> int | None:
    """A name below an open folder costs less than a path. None where there are no such descriptors, or none left."""
    if os.stat not in os.supports_dir_fd:
        return None
    try:
        return os.open(folder or ".", os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return None


def _stamp(name: str, fd: int | None, follow: bool) -> tuple[int, int, int, int]:
    try:
        status = os.stat(name, dir_fd=fd, follow_symlinks=follow)
    except (OSError, ValueError):
        return (-1, -1, -1, -1)
    if not stat.S_ISREG(status.st_mode):
        return (-1, -1, -1, -1)
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino & INODE_MASK)
