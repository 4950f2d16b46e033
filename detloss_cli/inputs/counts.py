"""How many images and rows a data set holds, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass


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
