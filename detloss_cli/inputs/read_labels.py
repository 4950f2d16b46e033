"""Label files of a list of images, read once each, in shards that a mapper spreads; the result is the same whoever reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from detloss_cli.inputs import cache_stamps
from detloss_cli.inputs.cache_stamps import Wanted
from detloss_cli.inputs.columns import join_and_drop
from detloss_cli.inputs.label_shard import LabelShard, read_shard
from detloss_cli.inputs.labels_read import LabelsRead, nothing_read
from detloss_cli.inputs.limits import Limits
from detloss_cli.inputs.mapper import Mapper, serial

# Files of a shard: enough to pay for its way to a process and back, few enough that no process waits long for the last one.
SHARD_FILES = 2048


def read_labels(
    paths: Sequence[str],
    root: str,
    loader: str,
    num_classes: int | None,
    limits: Limits,
    *,
    allow_outside: bool = False,
    stamps: Wanted | None = None,
    mapper: Mapper = serial,
) -> LabelsRead:
    """Read label files.

    Args:
        paths: one an image, "" for an image without one.
        root: resolved; a link that leaves it is not read unless `allow_outside`.
        loader: a key of `LOADERS`.
        num_classes: C, None if unknown.
        stamps: which to take of each regular file, for the cache.
        mapper: who reads the shards.
    """
    where = np.flatnonzero(np.fromiter(map(bool, paths), dtype=bool, count=len(paths)))
    firsts = range(0, len(where), SHARD_FILES)

    def shards() -> Iterator[LabelShard]:
        for first in firsts:
            own = tuple(paths[n] for n in where[first : first + SHARD_FILES].tolist())
            yield LabelShard(own, root, loader, num_classes, limits, allow_outside, stamps)

    result = nothing_read(len(paths))
    parts: list[LabelsRead] = []
    for first, part in zip(firsts, mapper(read_shard, shards(), LabelShard.name), strict=True):
        own = where[first : first + SHARD_FILES]
        result.rows[own], result.boxes[own] = part.rows, part.boxes
        result.reports.update({int(own[file]): report for file, report in part.reports.items()})
        same = part.loaded is part.strict
        part.strict = replace(part.strict, image=own[part.strict.image])
        part.loaded = part.strict if same else replace(part.loaded, image=own[part.loaded.image])
        if part.stamped is not None:
            part.stamped = replace(part.stamped, files=own[part.stamped.files])
        parts.append(part)
    if parts:
        same = all(part.loaded is part.strict for part in parts)
        strict, loaded = [part.strict for part in parts], [] if same else [part.loaded for part in parts]
        stamped = [part.stamped for part in parts if part.stamped is not None]
        parts.clear()  # from here on each column of a part goes as soon as it stands in the whole
        result.strict = join_and_drop(strict)
        result.loaded = result.strict if same else join_and_drop(loaded)
        result.stamped = cache_stamps.joined(stamped) if stamped else None
    return result
