"""Targets of a batch, and which slots of the head they are assigned to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from array_api_compat import array_namespace, device

Array = Any  # numpy.ndarray or torch.Tensor: assignment is written once for both, against the array API

Frame = Literal["cxcywh", "cxcywh_px", "xyxy_px"]


@dataclass(frozen=True, slots=True)
class Targets:
    """The boxes of one batch in the frame that a family takes. N boxes, B images, one array library and device throughout.

    image: (N,) integer, 0..B-1. cls: (N,) integer. boxes: (N, 4) in `frame`: `cxcywh` in 0..1 of the network input,
    `cxcywh_px` or `xyxy_px` in pixels of the network input. images: B.
    """

    image: Array
    cls: Array
    boxes: Array
    images: int
    frame: Frame = "cxcywh"


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which target trains which slot. P rows, one a positive, all levels in one table, in the reference's row order.

    level, image, anchor, row, col: (P,) int64, the slot. gt: (P,) int64, index into the targets.
    extra: the family's own evidence (ratio, iou, cost, radius), (P,) each: shown, but read by no other family.
    of_targets: evidence on each target, rows or none, (N,) each: its best cost, how many cells it could have had. Reasons are made of it.
    ignored: slots that train nothing, not even as background: columns level, image, anchor, row, col, (I,) each; may be empty.
    """

    level: Array
    image: Array
    anchor: Array
    row: Array
    col: Array
    gt: Array
    extra: Mapping[str, Array] = field(default_factory=dict)
    of_targets: Mapping[str, Array] = field(default_factory=dict)
    ignored: Mapping[str, Array] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.level.shape[0])

    def chosen(self, rows: Array) -> Assignment:
        """Some of the rows, without evidence.

        Args:
            rows: (R,) int64 or (P,) bool.
        """
        return Assignment(*(column[rows] for column in (self.level, self.image, self.anchor, self.row, self.col, self.gt)))

    def first(self, count: int) -> Assignment:
        """The first rows, as views, without evidence."""
        return Assignment(*(column[:count] for column in (self.level, self.image, self.anchor, self.row, self.col, self.gt)))

    @property
    def slot(self) -> tuple[Array, Array, Array, Array]:
        """image, anchor, row, col, (P,) each."""
        return self.image, self.anchor, self.row, self.col


def without_rows(targets: Targets, assignment: Assignment) -> Array:
    """(U,) int64: the targets that no row of the assignment names, in order."""
    xp = array_namespace(targets.boxes)
    everyone = xp.arange(targets.boxes.shape[0], dtype=xp.int64, device=device(targets.boxes))
    return everyone[~xp.isin(everyone, assignment.gt)]


def on_host(targets: Targets) -> Targets:
    """The same targets as numpy arrays."""
    image, cls, boxes = (
        column.detach().cpu().numpy() if hasattr(column, "detach") else column for column in (targets.image, targets.cls, targets.boxes)
    )
    return Targets(image, cls, boxes, targets.images, targets.frame)


def chosen_targets(targets: Targets, rows: Array) -> Targets:
    """Some of the targets, in numpy.

    Args:
        rows: (U,) int64, index into the targets.
    """
    host = on_host(targets)
    index = rows.detach().cpu().numpy() if hasattr(rows, "detach") else rows
    return Targets(host.image[index], host.cls[index], host.boxes[index], targets.images, targets.frame)


def joined(first: Assignment, second: Assignment) -> Assignment:
    """The rows of two assignments of the same targets, one after the other; evidence on targets is the first's."""
    xp = array_namespace(first.row)
    names = ("level", "image", "anchor", "row", "col", "gt")
    columns = {name: xp.concat((getattr(first, name), getattr(second, name))) for name in names}
    extra = {name: xp.concat((column, second.extra[name])) for name, column in first.extra.items() if name in second.extra}
    return Assignment(**columns, extra=extra, of_targets=first.of_targets)
