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
from detloss_cli.inputs.image_size import image_size, read_image_sizes


def find_sizes(
    pictures: Sequence[str], root: str, headers: bool, listed: Path | None, cache: Cache | None = None
) -> tuple[NDArray[np.int32], NDArray[np.int32], list[Fault]]:
    """(M,) width and (M,) height in pixels, 0 where unknown, and the pictures that could not be read.

    Args:
        pictures: paths.
        root: what the keys of `listed` are relative to.
        headers: open each picture that `listed` does not name.
        listed: a JSON file of sizes, found by the end of the path, else by a name that occurs once.
        cache: knows pictures that have not changed. A strict one is not asked: to hash a picture takes longer than to read its header.
    """
    sizes = np.zeros((len(pictures), 2), dtype=np.int32)
    faults: list[Fault] = []
    unlisted: list[str] = []
    known = _Listed(read_image_sizes(listed)) if listed is not None else None
    before = KnownSizes(cache, pictures, root) if cache is not None and headers and pictures and not cache.strict else None
    opened: list[int] = []
    for index, picture in enumerate(pictures):
        size = known.find(picture, root) if known is not None else None
        if size is None and before is not None:
            size = before.find(index)
        if size is None and headers:
            opened.append(index)
            found = image_size(picture)
            if isinstance(found, Refused):
                kind = "image-unreadable" if found.kind in ("unreadable-file", "changed-during-scan", "symlink") else found.kind
                faults.append(Fault(kind, picture, None, None, "", found.detail))
            else:
                size = found
        elif size is None and known is not None:
            unlisted.append(picture)
        if size is not None:
            sizes[index] = size
    if before is not None:
        before.keep(sizes, opened)
    if unlisted:
        faults.append(Fault("image-size-unlisted", str(listed), None, None, os.path.basename(unlisted[0]), str(len(unlisted))))
    return sizes[:, 0].copy(), sizes[:, 1].copy(), faults


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
