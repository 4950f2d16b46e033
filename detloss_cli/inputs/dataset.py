"""A data set: the pictures of its splits, their labels as one loader keeps them, and every fault on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from detloss_cli.inputs.ahead import let_go
from detloss_cli.inputs.cache import Cache
from detloss_cli.inputs.cached_labels import read_cached_labels
from detloss_cli.inputs.columns import Columns
from detloss_cli.inputs.counts import LabelCounts, count_annotations, count_files
from detloss_cli.inputs.dataspec import DataSpec, NamesSource
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.labels import Images, Labels
from detloss_cli.inputs.limits import DEFAULT, UNREAD_KINDS, Limits
from detloss_cli.inputs.listing import list_images
from detloss_cli.inputs.loaded import Fate
from detloss_cli.inputs.loaders import LOADERS
from detloss_cli.inputs.mapper import Mapper, serial
from detloss_cli.inputs.read_labels import read_labels
from detloss_cli.inputs.scan import Scanner, scan
from detloss_cli.inputs.sizes import find_sizes
from detloss_cli.inputs.small_images import drop_pictures


@dataclass(frozen=True, slots=True)
class DataSet:
    """Labels that were read, with what there is to say about them.

    spec: where they came from. splits: those that were read. loader: a key of `LOADERS`.
    labels: the boxes that the loader keeps, in its order. strict: the boxes that no error stands at, what the checks by columns look at.
    faults: in the order of reading. fates: what the loader does unasked. num_classes: C. names_source: where names came from.
    labels_only: True if there are no pictures. rows: (M,) int32, lines that are not blank, by image.
    """

    spec: DataSpec
    splits: tuple[str, ...]
    loader: str
    labels: Labels
    strict: Labels
    faults: tuple[Fault, ...]
    fates: tuple[Fate, ...]
    counts: LabelCounts
    num_classes: int
    names_source: NamesSource
    labels_only: bool
    rows: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))

    @property
    def incomplete(self) -> bool:
        """True if a limit left something unread."""
        return any(fault.kind in UNREAD_KINDS for fault in self.faults)


def read_dataset(
    spec: DataSpec,
    splits: Sequence[str],
    loader: str,
    *,
    num_classes: int | None,
    sizes: bool,
    image_sizes: Path | None = None,
    limits: Limits = DEFAULT,
    allow_outside: bool = False,
    cache: Cache | None = None,
    mapper: Mapper = serial,
    scanner: Scanner = scan,
) -> DataSet:
    """Read the labels of some splits, each file once.

    Args:
        spec: where they are.
        splits: names of splits; one that the data set does not have is passed over.
        loader: a key of `LOADERS`.
        num_classes: C from the command line, None for what `spec` says; where nothing says it, the largest id + 1.
        sizes: read the size of each picture from its header.
        image_sizes: a JSON file of sizes, for pictures that are not at hand.
        allow_outside: follow what leaves the root.
        cache: what it holds of files that have not changed is not read again; the result is the same.
        mapper: who reads the files; the result is the same. scanner: who looks into folders.
    """
    bound = num_classes if num_classes is not None else spec.num_classes
    present = tuple(split for split in splits if split in spec.splits)
    if spec.kind in ("coco", "keras"):
        read = _from_annotations(spec, present, loader, bound, image_sizes, limits, allow_outside)
    else:
        read = _from_files(spec, present, loader, bound, sizes, image_sizes, limits, allow_outside, cache, mapper, scanner)
    largest = int(max(columns.cls.max(initial=-1) for columns in (read.strict, read.loaded)))
    count = bound if bound is not None else len(read.names) or largest + 1
    names = spec.names or read.names or tuple(f"class_{n}" for n in range(count))
    source: NamesSource = spec.names_source if bound is not None else "names" if read.names else "inferred"
    strict = _labels(read.strict, read.images, names)
    return DataSet(
        spec=spec,
        splits=present,
        loader=loader,
        labels=strict if read.loaded is read.strict else _labels(read.loaded, read.images, names),
        strict=strict,
        faults=read.faults,
        fates=read.fates,
        counts=read.counts,
        num_classes=count,
        names_source="option" if num_classes is not None else source,
        labels_only=read.labels_only,
        rows=read.rows,
    )


@dataclass(frozen=True, slots=True)
class _Read:
    """What a form of data set came to. Fields as in `DataSet`; names: those that the labels themselves bring, if any."""

    images: Images
    strict: Columns
    loaded: Columns
    faults: tuple[Fault, ...]
    fates: tuple[Fate, ...]
    counts: LabelCounts
    rows: NDArray[np.int32]
    labels_only: bool = False
    names: tuple[str, ...] = ()


def _labels(columns: Columns, images: Images, names: tuple[str, ...]) -> Labels:
    return Labels(columns.image, columns.cls, columns.boxes, columns.line, images, names)


def _from_files(
    spec: DataSpec,
    splits: tuple[str, ...],
    loader: str,
    bound: int | None,
    sizes: bool,
    image_sizes: Path | None,
    limits: Limits,
    allow_outside: bool,
    cache: Cache | None,
    mapper: Mapper,
    scanner: Scanner,
) -> _Read:
    """One label file a picture."""
    if cache is not None:
        cache = cache.away_from(source for split in splits for source in spec.splits[split])
    try:
        listing = list_images(spec, splits, limits, allow_outside=allow_outside, scanner=scanner)
    finally:
        let_go(scanner)
    read = read_cached_labels(listing.labels, spec.root, loader, bound, limits, allow_outside=allow_outside, cache=cache, mapper=mapper)
    orphans = read_labels(tuple(listing.orphans), spec.root, loader, bound, limits, allow_outside=allow_outside, mapper=mapper)
    width, height, size_faults = find_sizes(listing.pictures, spec.root, sizes and not listing.labels_only, image_sizes, cache, mapper)
    caches = list[Fault]()
    if listing.caches:
        from detloss_cli.inputs.foreign_cache import cache_faults

        caches = cache_faults(listing.caches, listing.pictures, listing.labels, read.stamped)
    unreadable = {fault.path for fault in size_faults if fault.kind == "image-unreadable"}
    small = drop_pictures(read, listing.pictures, width, height, LOADERS[loader], unreadable)
    return _Read(
        images=Images(tuple(listing.pictures), tuple(listing.labels), tuple(listing.splits), width, height),
        strict=read.strict,
        loaded=read.loaded,
        faults=(*listing.faults, *read.faults, *orphans.faults, *size_faults, *small, *caches),
        fates=tuple(read.fates),
        counts=count_files(listing, read, orphans),
        rows=read.rows,
        labels_only=listing.labels_only,
    )


def _from_annotations(
    spec: DataSpec, splits: tuple[str, ...], loader: str, bound: int | None, image_sizes: Path | None, limits: Limits, allow_outside: bool
) -> _Read:
    """One annotation file for all pictures; a loader of label rows has no say in it but for what it accepts."""
    from detloss_cli.inputs.coco import read_coco
    from detloss_cli.inputs.keras_lines import read_keras

    file, split = next(((path, split) for split in splits for path in spec.splits[split]), ("", ""))
    if spec.kind == "coco":
        found = read_coco(file, split, bound, limits, converted=spec.converted)
    else:
        accepts = LOADERS[loader].accepts
        found = read_keras(file, split, spec.root, bound, image_sizes, limits, allow_outside=allow_outside, accepts=accepts)
    sides = np.array([found.width, found.height], dtype=np.int32).reshape(2, -1)
    return _Read(
        images=Images(tuple(found.pictures), (file,) * len(found.pictures), tuple(found.splits), sides[0], sides[1]),
        strict=found.columns(),
        loaded=found.columns(flawed=True),
        faults=tuple(found.faults),
        fates=(),
        counts=count_annotations(found),
        rows=np.array(found.rows, dtype=np.int32),
        names=found.names,
    )
