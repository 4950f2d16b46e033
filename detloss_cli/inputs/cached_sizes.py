"""Sizes of pictures that have not changed, from the cache: opening a picture costs twenty times what asking for its times does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detloss_cli.inputs.cache import Cache
from detloss_cli.inputs.cache_stamps import TICK_NS, WIDTH, Wanted, stamps_now
from detloss_cli.inputs.mapper import Mapper, serial


class KnownSizes:
    """Width and height by picture. Pictures that could not be read are not kept: each run says so anew.

    Args:
        pictures: (M,) paths.
        root: of the data set; one cache file each.
    """

    def __init__(self, cache: Cache, pictures: Sequence[str], root: str, mapper: Mapper = serial) -> None:
        self.cache = cache
        self.config = {"root": root}
        self.pictures = pictures
        # before any picture is opened: one that changes while it is read has another stamp afterwards
        self.clock = Wanted().started
        self.now = stamps_now(pictures, follow=True, mapper=mapper)
        self.sizes = np.zeros((len(pictures), 2), dtype=np.int32)
        self.kept = np.zeros(len(pictures), dtype=bool)
        old = _table(cache.load("sizes", self.config) or {})
        if old is not None:
            paths, keys, sizes = old
            place = {path: number for number, path in enumerate(paths)}
            entry = np.array([place.get(picture, -1) for picture in pictures], dtype=np.int64)
            known = np.flatnonzero(entry >= 0)
            same = known[(self.now[known] == keys[entry[known]]).all(axis=1)]
            self.sizes[same] = sizes[entry[same]]
            self.kept[same] = True

    def keep(self, sizes: NDArray[np.int32], opened: Sequence[int]) -> None:
        """Write the sizes that are known now.

        Args:
            sizes: (M, 2), 0 where unknown. opened: pictures that were opened.
        """
        fresh = np.zeros(len(self.pictures), dtype=bool)
        fresh[list(opened)] = True
        fresh &= (sizes > 0).all(axis=1) & (self.now[:, 0] >= 0) & (self.now[:, 1:3].max(axis=1, initial=0) <= self.clock - TICK_NS)
        if fresh.any():
            files = np.flatnonzero(fresh | self.kept)
            sides = np.where(fresh[:, None], sizes, self.sizes)
            names = "\0".join(self.pictures[n] for n in files.tolist()).encode("utf-8", "surrogateescape")
            arrays: dict[str, NDArray[Any]] = {
                "paths": np.frombuffer(names, dtype=np.uint8),
                "keys": self.now[files],
                "sizes": sides[files],
            }
            self.cache.save("sizes", self.config, arrays)


def _table(arrays: dict[str, NDArray[Any]]) -> tuple[list[str], NDArray[np.int64], NDArray[np.int32]] | None:
    """Paths, keys and sizes, None if they do not fit together."""
    try:
        paths = arrays["paths"].tobytes().decode("utf-8", "surrogateescape").split("\0")
        keys, sizes = arrays["keys"], arrays["sizes"]
    except (KeyError, MemoryError):
        return None
    fits = keys.dtype == np.int64 and keys.shape == (len(paths), WIDTH) and sizes.dtype == np.int32 and sizes.shape == (len(paths), 2)
    return (paths, keys, sizes) if fits and (sizes > 0).all() else None
