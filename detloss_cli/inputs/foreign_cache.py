"""Label caches that trainers leave beside the data: looked through opcode by opcode, never loaded."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterable, Sequence

from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.files import Refused, read_file
from detloss_cli.inputs.pickle_walk import walk

# A pickle beyond this is not looked through: it would take longer than reading the labels.
LIMIT = 64 << 20
# What it takes to rebuild numpy arrays, and nothing else.
ARRAYS = frozenset(
    f"{module} {name}"
    for core in ("numpy.core", "numpy._core")
    for module, name in ((f"{core}.multiarray", "_reconstruct"), (f"{core}.multiarray", "scalar"), (f"{core}.numeric", "_frombuffer"))
) | {"numpy ndarray", "numpy dtype", "_codecs encode"}


def cache_faults(caches: Sequence[str], pictures: Sequence[str], labels: Sequence[str]) -> list[Fault]:
    """One fault a cache: that it would run code, that it no longer matches the labels, or just that it is there.

    Args:
        caches: paths.
        pictures: (M,) paths of all pictures that were found.
        labels: (M,) their label files, "" for none.
    """
    return [_judge(cache, pictures, labels) for cache in caches]


def _judge(cache: str, pictures: Sequence[str], labels: Sequence[str]) -> Fault:
    data = read_file(cache, LIMIT)
    if isinstance(data, Refused):
        return Fault("cache-unread", cache, None, None, "", "too large to look through" if data.kind == "label-too-big" else data.detail)
    try:
        found = walk(_pickle_of(data))
    except (ValueError, KeyError, IndexError, OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, MemoryError) as error:
        return Fault("cache-unread", cache, None, None, "", f"cut short or of an unknown kind ({type(error).__name__})")
    if beyond := sorted(found.names - ARRAYS):
        return Fault("cache-runs-code", cache, None, None, beyond[0].replace(" ", "."), str(len(beyond)))
    below = cache.removesuffix(".cache") + "/"
    mine = [n for n, label in enumerate(labels) if label.startswith(below)] or list(range(len(labels)))
    why = _stale(cache, found.pictures, [pictures[n] for n in mine], [labels[n] for n in mine])
    return Fault("cache-stale" if why else "cache-foreign", cache, None, None, "", why)


def _stale(cache: str, cached: set[str], pictures: list[str], labels: Iterable[str]) -> str:
    """Why a cache cannot be true of the files as they are, "" if it may be."""
    there = {os.path.basename(picture) for picture in pictures}
    if cached and cached != there:
        return f"it names {len(cached - there)} pictures that are gone and lacks {len(there - cached)}"
    written = os.stat(cache).st_mtime_ns
    newer = sum(os.stat(label).st_mtime_ns > written for label in labels if label and os.path.isfile(label))
    return f"{newer} label files changed after it was written" if newer and cached else ""


def _pickle_of(data: bytes) -> bytes:
    """The pickle inside a cache: after a numpy header, in a zip of torch.save, or bare.

    Raises:
        ValueError: the archive holds none.
    """
    if data.startswith(b"\x93NUMPY"):
        wide = data[6:7] != b"\x01"
        size = int.from_bytes(data[8:12] if wide else data[8:10], "little")
        return data[(12 if wide else 10) + size :]
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            member = next((name for name in archive.namelist() if name.endswith("data.pkl")), None)
            if member is None:
                raise ValueError("no pickle in the archive")
            with archive.open(member) as file:
                return file.read(LIMIT)
    return data
