"""Label files of a list of images, those that have not changed from the cache: the same result as without it, bit for bit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detloss_cli.inputs.cache import Cache
from detloss_cli.inputs.cache_stamps import DIGEST, Stamped, Wanted, digest, joined, stamps_now
from detloss_cli.inputs.cache_table import Table, from_arrays, to_arrays
from detloss_cli.inputs.columns import Columns, join
from detloss_cli.inputs.files import Refused, read_file
from detloss_cli.inputs.labels_read import FileReport, LabelsRead, nothing_read
from detloss_cli.inputs.limits import Limits
from detloss_cli.inputs.loaders import LOADERS
from detloss_cli.inputs.mapper import Mapper, serial
from detloss_cli.inputs.read_labels import read_labels

# Files of the cache that a run does not ask for stay, another split may ask: up to so many, or four for each that is asked for.
MANY = 100_000


def read_cached_labels(
    paths: Sequence[str],
    root: str,
    loader: str,
    num_classes: int | None,
    limits: Limits,
    *,
    allow_outside: bool = False,
    cache: Cache | None = None,
    mapper: Mapper = serial,
) -> LabelsRead:
    """As `read_labels`, which reads whatever the cache does not hold. A link is read every time."""
    if cache is None or not any(paths):
        return read_labels(paths, root, loader, num_classes, limits, allow_outside=allow_outside, mapper=mapper)
    config = {"root": root, "loader": asdict(LOADERS[loader]), "classes": num_classes, "limits": asdict(limits), "outside": allow_outside}
    arrays = cache.load("labels", config)
    old = from_arrays(arrays) if arrays is not None else None
    if old is not None and old.digests.shape[1] != (DIGEST if cache.strict else 0):
        old = None
    where = np.flatnonzero([bool(path) for path in paths])
    entry = (
        _unchanged(old, [paths[n] for n in where.tolist()], cache.strict, limits, mapper) if old is not None else np.full(len(where), -1)
    )
    missing = where[entry < 0].tolist()
    stamps = Wanted(hashed=cache.strict)
    read = nothing_read(len(paths))
    if missing:
        rest = [""] * len(paths)
        for index in missing:
            rest[index] = paths[index]
        read = read_labels(rest, root, loader, num_classes, limits, allow_outside=allow_outside, stamps=stamps, mapper=mapper)
    if old is not None and (entry >= 0).any():
        hits = old.take(entry[entry >= 0])
        read, fresh = _with(read, hits, where[entry >= 0]), read
    else:
        fresh = read
    if fresh.stamped is not None and len(fresh.stamped.files):
        table = _table(fresh, fresh.stamped, paths)
        kept = _kept(old, table.paths, [paths[n] for n in where.tolist()]) if old is not None else None
        cache.save("labels", config, to_arrays(_joined(kept, table) if kept is not None else table))
    return read


def _unchanged(old: Table, paths: list[str], strict: bool, limits: Limits, mapper: Mapper) -> NDArray[np.int64]:
    """(M,) the entry of each path that is as it was, -1 where there is none or it has changed."""
    if paths == old.paths:
        entry = np.arange(len(paths))
    else:
        place = {path: number for number, path in enumerate(old.paths)}
        entry = np.array([place.get(path, -1) for path in paths], dtype=np.int64)
    known = np.flatnonzero(entry >= 0)
    now = stamps_now([paths[n] for n in known.tolist()], follow=False, mapper=mapper)
    entry[known[(now != old.keys[entry[known]]).any(axis=1)]] = -1
    if strict:
        for index in np.flatnonzero(entry >= 0).tolist():
            data = read_file(paths[index], limits.label_bytes)
            if isinstance(data, Refused) or digest(data) != old.digests[entry[index]].tobytes():
                entry[index] = -1
    return entry


def _with(read: LabelsRead, hits: Table, where: NDArray[np.int64]) -> LabelsRead:
    """What was read and what was kept. where: (F,) the image of each file of `hits`, ascending."""
    rows, boxes = read.rows.copy(), read.boxes.copy()
    rows[where], boxes[where] = hits.rows, hits.boxes
    strict = _by_image(read.strict, _at(hits.strict, where))
    same = read.loaded is read.strict and hits.loaded is hits.strict
    loaded = strict if same else _by_image(read.loaded, _at(hits.loaded, where))
    # two pictures of one label file have a report each
    kept = {int(where[n]): replace(each, fates=[*each.fates], lost={**each.lost}) for n, each in hits.reports.items()}
    stamped = Stamped(where, hits.keys, hits.digests)
    if read.stamped is not None:
        stamped = joined([read.stamped, stamped])
    return LabelsRead(strict, loaded, rows, boxes, {**read.reports, **kept}, stamped)


def _at(columns: Columns, where: NDArray[np.int64]) -> Columns:
    return replace(columns, image=where[columns.image])


def _by_image(one: Columns, other: Columns) -> Columns:
    """Boxes of two sets of images, sorted by image, else in their order."""
    if not len(one.image) or not len(other.image):
        return other if len(other.image) else one
    both = join([one, other])
    order = np.argsort(both.image, kind="stable")
    return Columns(both.image[order], both.line[order], both.cls[order], both.boxes[order])


def _table(read: LabelsRead, stamped: Stamped, paths: Sequence[str]) -> Table:
    """The files that were stamped."""
    files = stamped.files
    new = np.full(len(paths), -1)
    new[files] = np.arange(len(files))

    def only(columns: Columns) -> Columns:
        image = new[columns.image]
        keep = image >= 0
        if keep.all():
            return replace(columns, image=image)
        return Columns(image[keep], columns.line[keep], columns.cls[keep], columns.boxes[keep])

    strict = only(read.strict)
    reports: dict[int, FileReport] = {int(new[image]): report for image, report in read.reports.items() if new[image] >= 0}
    return Table(
        [paths[n] for n in files.tolist()],
        stamped.keys,
        stamped.digests,
        read.rows[files],
        read.boxes[files],
        strict,
        strict if read.loaded is read.strict else only(read.loaded),
        reports,
    )


def _kept(old: Table, fresh: Sequence[str], asked: Sequence[str]) -> Table | None:
    """The entries of a cache that a new table does not replace, None if there are none."""
    replaced, wanted = set(fresh), set(asked)
    files = [n for n, path in enumerate(old.paths) if path not in replaced]
    if len(files) > max(MANY, 4 * len(wanted)):
        files = [n for n in files if old.paths[n] in wanted]
    return old.take(np.array(files, dtype=np.int64)) if files else None


def _joined(one: Table, other: Table) -> Table:
    shift = len(one.paths)

    def both(first: Columns, second: Columns) -> Columns:
        return join([first, replace(second, image=second.image + shift)])

    strict = both(one.strict, other.strict)
    same = one.loaded is one.strict and other.loaded is other.strict
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(one, name), getattr(other, name)]) for name in ("keys", "digests", "rows", "boxes")
    }
    return Table(
        [*one.paths, *other.paths],
        strict=strict,
        loaded=strict if same else both(one.loaded, other.loaded),
        reports={**one.reports, **{file + shift: report for file, report in other.reports.items()}},
        **joined,
    )
