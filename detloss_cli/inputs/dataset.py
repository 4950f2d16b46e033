"""A data set: the pictures of its splits, their labels as one loader keeps them, and every fault on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from detloss_cli.inputs.counts import LabelCounts
from detloss_cli.inputs.dataspec import DataSpec, NamesSource
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.foreign_cache import cache_faults
from detloss_cli.inputs.labels import Images, Labels
from detloss_cli.inputs.limits import DEFAULT, UNREAD_KINDS, Limits
from detloss_cli.inputs.listing import Listing, list_images
from detloss_cli.inputs.loaded import Fate
from detloss_cli.inputs.read_labels import Columns, LabelsRead, read_labels
from detloss_cli.inputs.sizes import find_sizes


@dataclass(frozen=True, slots=True)
class DataSet:
    """Labels that were read, with what there is to say about them.

    spec: where they came from. splits: those that were read. loader: a key of `LOADERS`.
    labels: the boxes that the loader keeps, in its order. strict: the boxes that no error stands at, what the checks by columns look at.
    faults: in the order of reading. fates: what the loader does unasked. num_classes: C. names_source: where names came from.
    labels_only: True if there are no pictures.
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
    """
    bound = num_classes if num_classes is not None else spec.num_classes
    listing = list_images(spec, splits, limits, allow_outside=allow_outside)
    read = read_labels(listing.labels, spec.root, loader, bound, limits, allow_outside=allow_outside)
    orphans = read_labels(tuple(listing.orphans), spec.root, loader, bound, limits, allow_outside=allow_outside)
    width, height, size_faults = find_sizes(listing.pictures, spec.root, sizes and not listing.labels_only, image_sizes)
    images = Images(tuple(listing.pictures), tuple(listing.labels), tuple(listing.splits), width, height)
    count = bound if bound is not None else int(max(columns.cls.max(initial=-1) for columns in (read.strict, read.loaded))) + 1
    names = spec.names if spec.names else tuple(f"class_{n}" for n in range(count))
    source: NamesSource = "option" if num_classes is not None else "inferred" if bound is None else spec.names_source
    strict = _labels(read.strict, images, names)
    return DataSet(
        spec=spec,
        splits=tuple(split for split in splits if split in spec.splits),
        loader=loader,
        labels=strict if read.loaded is read.strict else _labels(read.loaded, images, names),
        strict=strict,
        faults=(
            *listing.faults,
            *read.faults,
            *orphans.faults,
            *size_faults,
            *cache_faults(listing.caches, listing.pictures, listing.labels),
        ),
        fates=tuple(read.fates),
        counts=_counts(listing, read, orphans),
        num_classes=count,
        names_source=source,
        labels_only=listing.labels_only,
    )


def _labels(columns: Columns, images: Images, names: tuple[str, ...]) -> Labels:
    return Labels(columns.image, columns.cls, columns.boxes, columns.line, images, names)


def _counts(listing: Listing, read: LabelsRead, orphans: LabelsRead) -> LabelCounts:
    """The rows of a label file that no picture asks for are lost, all of them."""
    images, rows = len(listing.pictures), int(read.rows.sum() + orphans.rows.sum())
    lost = dict(read.lost)
    for kind, count in zip(listing.orphans.values(), orphans.rows.tolist(), strict=True):
        if count:
            lost[kind] = lost.get(kind, 0) + count
    labelled = int((read.rows > 0).sum())
    missing = sum(not label for label in listing.labels)
    kept = len(read.loaded.image)
    return LabelCounts(
        images=images,
        labelled=labelled,
        background=images - labelled - len(read.skipped),
        missing=missing,
        skipped=len(read.skipped),
        rows=rows,
        boxes=int(read.boxes.sum() + orphans.boxes.sum()),
        kept=kept,
        lost_rows=rows - kept,
        lost_images=len(read.lost_images),
        lost_by_rule=dict(sorted(lost.items())),
    )
