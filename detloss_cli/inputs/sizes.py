"""Sizes of all pictures of a data set, from their headers or from a file that lists them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detloss_cli.inputs.cache import Cache
from detloss_cli.inputs.cached_sizes import KnownSizes
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.files import Refused
from detloss_cli.inputs.image_size import read_image_sizes
from detloss_cli.inputs.mapper import Mapper, serial
from detloss_cli.inputs.size_shard import SHARD_PICTURES, SizeShard, read_sizes


def find_sizes(
    pictures: Sequence[str],
    root: str,
    headers: bool,
    listed: Path | None,
    cache: Cache | None = None,
    mapper: Mapper = serial,
) -> tuple[NDArray[np.int32], NDArray[np.int32], list[Fault]]:
    """(M,) width and (M,) height in pixels, 0 where unknown, and the pictures that could not be read.

    Args:
        pictures: paths.
        root: what the keys of `listed` are relative to.
        headers: open each picture that `listed` does not name.
        listed: a JSON file of sizes, found by the end of the path, else by a name that occurs once.
        cache: knows pictures that have not changed. A strict one is not asked: to hash a picture takes longer than to read its header.
        mapper: who opens the pictures.
    """
    sizes = np.zeros((len(pictures), 2), dtype=np.int32)
    faults: list[Fault] = []
    if listed is not None and pictures:
        known = _Listed(read_image_sizes(listed))
        for index, picture in enumerate(pictures):
            sizes[index] = known.find(picture, root) or 0
    unknown = np.flatnonzero(sizes[:, 0] == 0)
    if headers and len(unknown):
        before = KnownSizes(cache, pictures, root, mapper) if cache is not None and not cache.strict else None
        if before is not None:
            sizes[unknown] = before.sizes[unknown]  # 0 where it does not know
            unknown = unknown[~before.kept[unknown]]
        faults = _open(pictures, unknown, sizes, mapper)
        if before is not None:
            before.keep(sizes, unknown.tolist())
    elif listed is not None and len(unknown):
        first = os.path.basename(pictures[int(unknown[0])])
        faults.append(Fault("image-size-unlisted", str(listed), None, None, first, str(len(unknown))))
    return sizes[:, 0].copy(), sizes[:, 1].copy(), faults


def _open(pictures: Sequence[str], wanted: NDArray[np.int64], sizes: NDArray[np.int32], mapper: Mapper) -> list[Fault]:
    """Fills in the sizes of the pictures that are wanted; what could not be read."""
    faults: list[Fault] = []
    pieces = [wanted[first : first + SHARD_PICTURES].tolist() for first in range(0, len(wanted), SHARD_PICTURES)]
    shards = (SizeShard(tuple(pictures[index] for index in piece)) for piece in pieces)
    for piece, found in zip(pieces, mapper(read_sizes, shards, SizeShard.name), strict=True):
        for index, size in zip(piece, found, strict=True):
            if isinstance(size, Refused):
                kind = "image-unreadable" if size.kind in ("unreadable-file", "changed-during-scan", "symlink") else size.kind
                faults.append(Fault(kind, pictures[index], None, None, "", size.detail))
            else:
                sizes[index] = size
    return faults


class _Listed:
    """Sizes by path, found by the longest listed end of a path, `images` and `labels` alike, then by a stem that is unique."""

    def __init__(self, sizes: dict[str, tuple[int, int]]) -> None:
        self.paths = {_neutral(name): size for name, size in sizes.items()}
        self.stems: dict[str, tuple[int, int] | None] = {}
        for name, size in self.paths.items():
            stem = name.rpartition("/")[2]
            self.stems[stem] = None if stem in self.stems else size

    def find(self, picture: str, root: str) -> tuple[int, int] | None:
        rest = _neutral(os.path.relpath(picture, root))
        stem = rest.rpartition("/")[2]
        while rest not in self.paths and "/" in rest:
            rest = rest.partition("/")[2]
        return self.paths.get(rest) or self.stems.get(stem)


def _neutral(path: str) -> str:
    stem = os.path.splitext(path.replace("\\", "/"))[0]
    return "/".join("labels" if part == "images" else part for part in stem.split("/"))
