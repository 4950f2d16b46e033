"""What tells a file from a changed one: size, modification and change time in nanoseconds, inode, and on request its content."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from detloss_cli.inputs.files import STAMP, Stamp
from detloss_cli.inputs.mapper import Mapper, Tell, serial

WIDTH = 4
# The column of the modification time.
MTIME = 1
DIGEST = 16
# Two writes within one tick of a file system's clock leave the same times; no common one ticks slower. What is that young is not kept.
TICK_NS = 2_000_000_000
# Files whose stamps are taken at a time.
SHARD_FILES = 8192
INODE_MASK = (1 << 63) - 1
NONE: Stamp = (-1, -1, -1, -1, -1)


@dataclass(frozen=True, slots=True)
class Stamped:
    """F files that may be kept.

    files: (F,) index of each. keys: (F, 4) size, mtime, ctime, inode. digests: (F, 16), (F, 0) if not hashed.
    """

    files: NDArray[np.int64]
    keys: NDArray[np.int64]
    digests: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which stamps to take. hashed: digests as well. started: clock in ns before the first file was opened."""

    hashed: bool = False
    started: int = field(default_factory=time.time_ns)


@dataclass(slots=True)
class Stamps:
    """Stamps taken while files are read. files: index of each. taken: five numbers a file. digests: `DIGEST` bytes a file, if wanted."""

    wanted: Wanted
    files: list[int] = field(default_factory=list)
    taken: list[int] = field(default_factory=list)
    digests: bytearray = field(default_factory=bytearray)

    def add(self, file: int, stamp: Stamp, data: bytes) -> None:
        """Take a stamp in. data: what was read."""
        self.files.append(file)
        self.taken += stamp
        if self.wanted.hashed:
            self.digests += digest(data)

    def stamped(self) -> Stamped:
        """The files that are not as young as the run itself."""
        files = np.array(self.files, dtype=np.int64)
        keys = _table(self.taken)
        digests = np.frombuffer(bytes(self.digests), dtype=np.uint8).reshape(len(files), DIGEST if self.wanted.hashed else 0)
        old = keys[:, 1:3].max(axis=1, initial=0) <= self.wanted.started - TICK_NS
        return Stamped(files[old], keys[old], digests[old])


def joined(parts: Sequence[Stamped]) -> Stamped:
    """Parts of one set, one after the other."""
    return Stamped(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("files", "keys", "digests")))


def _table(taken: Sequence[int]) -> NDArray[np.int64]:
    """(F, 4) keys of stamps, one number after the other."""
    try:
        numbers = np.array(taken, dtype=np.int64)
    except OverflowError:  # an inode beyond 63 bits
        numbers = np.array([number & INODE_MASK if number >= 0 else number for number in taken], dtype=np.int64)
    return np.ascontiguousarray(numbers.reshape(-1, 1 + WIDTH)[:, 1:])


def digest(data: bytes) -> bytes:
    """The content of a file in 16 bytes."""
    return blake2b(data, digest_size=DIGEST).digest()


@dataclass(frozen=True, slots=True)
class StampShard:
    """paths: of files. follow: as `stamps_now`."""

    paths: tuple[str, ...]
    follow: bool

    def name(self, item: int) -> str:
        """What a file is called in a message."""
        return self.paths[item]


def stamps_now(paths: Sequence[str], *, follow: bool, mapper: Mapper = serial) -> NDArray[np.int64]:
    """(F, 4) stamps of files as they are now, -1 where there is no regular file.

    Args:
        follow: of what a link points at; otherwise a link has no stamp.
        mapper: who asks for them.
    """
    firsts = range(0, len(paths), SHARD_FILES)
    shards = (StampShard(tuple(paths[first : first + SHARD_FILES]), follow) for first in firsts)
    keys = np.empty((len(paths), WIDTH), dtype=np.int64)
    for first, part in zip(firsts, mapper(read_stamps, shards, StampShard.name), strict=True):
        keys[first : first + SHARD_FILES] = part
    return keys


def read_stamps(shard: StampShard, tell: Tell | None = None) -> NDArray[np.int64]:
    """(F, 4) stamps of some files."""
    found: list[int] = []
    where: str | None = None
    fd: int | None = None
    try:
        for item, path in enumerate(shard.paths):
            if tell is not None:
                tell(item)
            folder, _, name = path.rpartition("/")
            if folder != where:
                if fd is not None:
                    os.close(fd)
                    fd = None
                where = folder
                fd = _open_folder(folder)
            found += _stamp(name if fd is not None else path, fd, shard.follow)
    finally:
        if fd is not None:
            os.close(fd)
    return _table(found)


def _open_folder(folder: str) -> int | None:
    """A name below an open folder costs less than a path. None where there are no such descriptors, or none left."""
    if os.stat not in os.supports_dir_fd:
        return None
    try:
        return os.open(folder or ".", os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return None


def _stamp(name: str, fd: int | None, follow: bool) -> Stamp:
    try:
        stamp: Stamp = STAMP(os.stat(name, dir_fd=fd, follow_symlinks=follow))
    except (OSError, ValueError):
        return NONE
    return stamp if stat.S_ISREG(stamp[0]) else NONE
