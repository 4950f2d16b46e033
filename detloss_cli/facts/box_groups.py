"""Boxes by group, as plain values: who gets positives, who carries the loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class BoxGroup:
    """The boxes of one class, size, level, folder or image, or one box.

    name: of the group. images: those that hold its boxes, of a folder all that it has. boxes: of a level those with a row there. positives:
    rows. without: boxes without a row, None of a level. median_px: median of sqrt(width * height), px of the network input, None without
    boxes. loss: by term, what its positives add, of a level all its cells; in the units of the totals, empty where none was computed.
    path: of an image, or of a box's label file. line, cls, reason: of a single box, its line there, its class, why it has no positive.
    """

    name: str
    images: int
    boxes: int
    positives: int
    without: int | None
    median_px: float | None
    loss: Mapping[str, float] = field(default_factory=dict)
    path: str | None = None
    line: int | None = None
    cls: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class BoxGroups:
    """All boxes of a run by group. by: class, size, level, folder, image or box.

    rows: the groups that carry most of the loss first, without a loss those with the most boxes without a positive; sizes and levels in
    their own order. number: of groups in all. rest: those that are not among the rows, together. empty_cells: by term, what no box adds;
    empty by level, whose rows hold it, and where no loss was computed.
    """

    by: str
    rows: tuple[BoxGroup, ...]
    number: int
    rest: BoxGroup | None
    empty_cells: Mapping[str, float]
