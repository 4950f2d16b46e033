"""Sizes of all pictures of a data set, from their headers or from a file that lists them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.files import Refused
from detloss_cli.inputs.image_size import image_size, read_image_sizes


def find_sizes(
    pictures: Sequence[str], root: str, headers: bool, listed: Path | None
) -> tuple[NDArray[np.int32], NDArray[np.int32], list[Fault]]:
    """(M,) width and (M,) height in pixels, 0 where unknown, and the pictures that could not be read.

    Args:
        pictures: paths.
        root: what the keys of `listed` are relative to.
        headers: open each picture that `listed` does not name.
        listed: a JSON file of sizes, found by path below the root, else by a name that occurs once, with or without its extension.
    """
    sizes = np.zeros((len(pictures), 2), dtype=np.int32)
    faults: list[Fault] = []
    known = _Listed(read_image_sizes(listed)) if listed is not None else None
    for index, picture in enumerate(pictures):
        size = known.find(picture, root) if known is not None else None
        if size is None and headers:
            found = image_size(picture)
            if isinstance(found, Refused):
                kind = "image-unreadable" if found.kind in ("unreadable-file", "changed-during-scan", "symlink") else found.kind
                faults.append(Fault(kind, picture, None, None, "", found.detail))
            else:
                size = found
        elif size is None and known is not None:
            faults.append(Fault("image-size-unlisted", picture, None, None, os.path.basename(picture)))
        if size is not None:
            sizes[index] = size
    return sizes[:, 0].copy(), sizes[:, 1].copy(), faults


class _Listed:
    """Sizes by path, and by stem where that is unambiguous."""

    def __init__(self, sizes: dict[str, tuple[int, int]]) -> None:
        self.sizes = sizes
        self.stems: dict[str, tuple[int, int] | None] = {}
        for name, size in sizes.items():
            stem = os.path.splitext(os.path.basename(name))[0]
            self.stems[stem] = None if stem in self.stems else size

    def find(self, picture: str, root: str) -> tuple[int, int] | None:
        relative = os.path.relpath(picture, root)
        return self.sizes.get(relative) or self.sizes.get(picture) or self.stems.get(os.path.splitext(os.path.basename(picture))[0])
