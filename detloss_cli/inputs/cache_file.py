"""One file of the cache: named arrays behind a checksum. Nothing in it is executed, and nothing is believed before the checksum holds.

Layout: magic, length of the body, SHA-256 of the body, for which most processors have instructions; the body is the length of a JSON
head, the head, and the arrays one after the other.
"""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"detloss cache 2\n"
DIGEST = 32
FIXED = len(MAGIC) + 8 + DIGEST
MOST_BYTES, MOST_HEAD, MOST_ARRAYS = 4 << 30, 1 << 20, 32
DTYPES = ("<i8", "<i4", "<f4", "|u1")
PART = ".part-"

Arrays = Mapping[str, NDArray[Any]]


def pack(config: str, arrays: Arrays) -> list[bytes | memoryview]:
    """The parts of a file, in order.

    Args:
        config: what the arrays depend on besides the files they are about.
    """
    tables = {name: np.ascontiguousarray(table) for name, table in arrays.items()}
    listed = [[name, table.dtype.newbyteorder("<").str, list(table.shape)] for name, table in tables.items()]
    head = json.dumps({"config": config, "arrays": listed}).encode()
    little = [table.astype(table.dtype.newbyteorder("<"), copy=False) for table in tables.values()]
    body: list[bytes | memoryview] = [len(head).to_bytes(8, "little"), head, *(table.reshape(-1).view(np.uint8).data for table in little)]
    checksum = sha256()
    for part in body:
        checksum.update(part)
    return [MAGIC, sum(len(part) for part in body).to_bytes(8, "little"), checksum.digest(), *body]


def unpack(data: bytes, config: str) -> dict[str, NDArray[Any]] | None:
    """The arrays of a file, None unless it is whole and about `config`. Never raises."""
    body = memoryview(data)[FIXED:]
    if len(data) < FIXED + 8 or not data.startswith(MAGIC) or int.from_bytes(data[len(MAGIC) : len(MAGIC) + 8], "little") != len(body):
        return None
    if sha256(body).digest() != data[FIXED - DIGEST : FIXED]:
        return None
    size = int.from_bytes(body[:8], "little")
    if size > min(MOST_HEAD, len(body) - 8):
        return None
    try:
        # as text: given bytes, json guesses at other encodings
        head = json.loads(str(body[8 : 8 + size], "ascii"))
        if head["config"] != config:
            return None
        return _arrays(head["arrays"], body[8 + size :])
    except (ValueError, KeyError, TypeError, RecursionError, MemoryError):
        return None


def _arrays(listed: Sequence[Any], rest: memoryview) -> dict[str, NDArray[Any]] | None:
    found: dict[str, NDArray[Any]] = {}
    at = 0
    if len(listed) > MOST_ARRAYS:
        return None
    for name, dtype, shape in listed:
        if dtype not in DTYPES or not all(type(side) is int and side >= 0 for side in shape) or len(shape) > 2:
            return None
        end = at + math.prod(shape) * np.dtype(dtype).itemsize
        if end > len(rest):
            return None
        flat = np.frombuffer(rest[at:end], dtype=dtype) if end > at else np.zeros(0, dtype=dtype)
        found[str(name)] = flat.astype(np.dtype(dtype).newbyteorder("="), copy=False).reshape(shape)
        at = end
    return found if at == len(rest) else None


def read(path: str) -> bytes | None:
    """The bytes of a cache file of this user, None if there is none that can be trusted."""
    flags = (
        os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    )
    try:
        fd = os.open(path, flags)
        with open(fd, "rb", buffering=0) as file:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_BYTES or not is_mine(status):
                return None
            data = file.readall()
    except (OSError, MemoryError):
        return None
    return data if len(data) == status.st_size else None


def is_mine(status: os.stat_result) -> bool:
    """True if a file or folder belongs to this user and nobody else may write to it."""
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def write(folder: str, name: str, parts: Sequence[bytes | memoryview]) -> None:
    """Put a file in place of an old one of that name: whole, or not at all.

    It is not synced: what a power cut tears is caught by the checksum, and costs a reading of the labels.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    part = os.path.join(folder, f"{PART}{os.getpid()}-{os.urandom(8).hex()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    fd = os.open(part, flags, 0o600)
    try:
        with open(fd, "wb") as file:
            for piece in parts:
                file.write(piece)
        os.replace(part, os.path.join(folder, name))
    except BaseException:  # an interrupt too must leave nothing behind
        os.unlink(part)
        raise
