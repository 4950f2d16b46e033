"""Label caches that trainers leave beside the data: looked through opcode by opcode, never loaded."""

from __future__ import annotations

import io
import math
import os
import stat
import zipfile
from collections.abc import Sequence

import numpy as np

from detloss_cli.inputs.cache_stamps import MTIME, Stamped
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.files import Refused, read_known
from detloss_cli.inputs.pickle_skim import look_through
from detloss_cli.inputs.pickle_walk import TooLong

# A pickle beyond this is not looked through: it would take longer than reading the labels.
LIMIT = 64 << 20
# Begins each entry of an archive's directory; torch.save writes about five of them.
ENTRY, MOST_ENTRIES = b"PK\1\2", 10_000
# What it takes to rebuild numpy arrays, and nothing else.
ARRAYS = frozenset(
    f"{module} {name}"
    for core in ("numpy.core", "numpy._core")
    for module, name in ((f"{core}.multiarray", "_reconstruct"), (f"{core}.multiarray", "scalar"), (f"{core}.numeric", "_frombuffer"))
) | {"numpy ndarray", "numpy dtype", "_codecs encode"}


def cache_faults(caches: Sequence[str], pictures: Sequence[str], labels: Sequence[str], stamped: Stamped | None = None) -> list[Fault]:
    """One fault a cache: that it would run code, that it no longer matches the labels, or just that it is there.

    Args:
        caches: paths.
        pictures: (M,) paths of all pictures that were found.
        labels: (M,) their label files, "" for none.
        stamped: label files whose times were taken as they were read; the others are asked for theirs.
    """
    return [_judge(cache, pictures, labels, stamped) for cache in caches]


def _judge(cache: str, pictures: Sequence[str], labels: Sequence[str], stamped: Stamped | None) -> Fault:
    read = read_known(cache, LIMIT)
    if isinstance(read, Refused):
        return Fault("cache-unread", cache, None, None, "", "too large to look through" if read.kind == "label-too-big" else read.detail)
    data, written = read[0], read[1].st_mtime_ns  # when it was read: a trainer may be writing it anew
    del read  # the bytes are there once
    try:
        data = _pickle_of(data)
        found = look_through(data, ARRAYS)
    except TooLong:
        return Fault("cache-unread", cache, None, None, "", "more in it than a label cache has, not looked through to the end")
    except Exception as error:  # whatever archives, their compressions and opcodes raise over bytes of unknown origin: no list stays whole
        return Fault("cache-unread", cache, None, None, "", f"cut short or of an unknown kind ({type(error).__name__})")
    if beyond := sorted(found.names - ARRAYS):
        return Fault("cache-runs-code", cache, None, None, beyond[0].replace(" ", "."), str(len(beyond)))
    why = _stale(cache, written, found.pictures, pictures, labels, stamped) if found.pictures else ""
    return Fault("cache-stale" if why else "cache-foreign", cache, None, None, "", why)


def _stale(cache: str, written: int, cached: set[str], pictures: Sequence[str], labels: Sequence[str], stamped: Stamped | None) -> str:
    """Why a cache cannot be true of the files as they are, "" if it may be. written: when, in ns."""
    below = cache.removesuffix(".cache") + "/"
    mine = [n for n, label in enumerate(labels) if label.startswith(below)] or range(len(labels))
    there = {pictures[n].replace(os.sep, "/").rpartition("/")[2] for n in mine}
    if cached != there:
        return f"it names {len(cached - there)} pictures that are gone and lacks {len(there - cached)}"
    known, later = np.zeros((2, len(labels)), dtype=bool)
    if stamped is not None:
        known[stamped.files], later[stamped.files] = True, stamped.keys[:, MTIME] > written
    own = np.array(mine, dtype=np.int64)
    newer = int(later[own].sum()) + sum(_changed(labels[n]) > written for n in own[~known[own]].tolist())
    return f"{newer} label files changed after it was written" if newer else ""


def _changed(label: str) -> float:
    """When a label file was changed, in ns; long ago where there is no such file."""
    try:
        status = os.stat(label)
    except (OSError, ValueError):
        return -math.inf
    return status.st_mtime_ns if stat.S_ISREG(status.st_mode) else -math.inf


def _pickle_of(data: bytes) -> bytes:
    """The pickle inside a cache: after a numpy header, in a zip of torch.save, or bare.

    Raises:
        ValueError: the archive holds none. TooLong: it holds more members than torch.save writes.
    """
    if data.startswith(b"\x93NUMPY"):
        wide = data[6:7] != b"\x01"
        size = int.from_bytes(data[8:12] if wide else data[8:10], "little")
        return data[(12 if wide else 10) + size :]
    if data.startswith(b"PK"):
        if data.count(ENTRY) > MOST_ENTRIES:  # each of them becomes an object of half a kilobyte
            raise TooLong("too many members")
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            member = next((name for name in archive.namelist() if name.endswith("data.pkl")), None)
            if member is None:
                raise ValueError("no pickle in the archive")
            with archive.open(member) as file:
                return file.read(LIMIT)
    return data
