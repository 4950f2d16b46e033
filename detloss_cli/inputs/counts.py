"""How many images and rows a data set holds, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass

from detloss_cli.inputs.annotated import Annotated
from detloss_cli.inputs.labels_read import LabelsRead
from detloss_cli.inputs.listing import Listing


@dataclass(frozen=True, slots=True)
class LabelCounts:
    """images = labelled + background + skipped; kept + lost_rows = rows; lost_by_rule sums to lost_rows.

    labelled: images whose label file has rows. background: images without a row, of them `missing` without a label file.
    skipped: images whose label file could not be read. rows: lines that are not blank. boxes: rows read as a box.
    kept: rows that the loader keeps. lost_images: images that it drops whole. lost_by_rule: rows by the rule that cost them.
    """

    images: int
    labelled: int
    background: int
    missing: int
    skipped: int
    rows: int
    boxes: int
    kept: int
    lost_rows: int
    lost_images: int
    lost_by_rule: dict[str, int]


def count_files(listing: Listing, read: LabelsRead, orphans: LabelsRead) -> LabelCounts:
    """Label files. The rows of one that no picture asks for are lost, all of them."""
    images, rows = len(listing.pictures), int(read.rows.sum() + orphans.rows.sum())
    lost = dict(read.lost)
    for kind, count in zip(listing.orphans.values(), orphans.rows.tolist(), strict=True):
        if count:
            lost[kind] = lost.get(kind, 0) + count
    labelled, kept = int((read.rows > 0).sum()), len(read.loaded.image)
    return LabelCounts(
        images=images,
        labelled=labelled,
        background=images - labelled - len(read.skipped),
        missing=sum(not label for label in listing.labels),
        skipped=len(read.skipped),
        rows=rows,
        boxes=int(read.boxes.sum() + orphans.boxes.sum()),
        kept=kept,
        lost_rows=rows - kept,
        lost_images=len(read.lost_images),
        lost_by_rule=dict(sorted(lost.items())),
    )


def count_annotations(found: Annotated) -> LabelCounts:
    """One annotation file. A picture that it has no annotation for is background; none is missing."""
    images, rows = len(found.pictures), sum(found.rows) + found.stray
    labelled = sum(count > 0 and index not in found.skipped for index, count in enumerate(found.rows))
    kept = len(found.boxes)
    return LabelCounts(
        images=images,
        labelled=labelled,
        background=images - labelled - len(found.skipped),
        missing=0,
        skipped=len(found.skipped),
        rows=rows,
        boxes=rows - found.lost.get("annotation-box", 0),
        kept=kept,
        lost_rows=rows - kept,
        lost_images=0,
        lost_by_rule=dict(sorted(found.lost.items())),
    )
