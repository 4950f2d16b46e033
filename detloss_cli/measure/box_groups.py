"""Boxes by class, size, level, folder or image, or each alone: who gets positives, and who carries the loss."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detloss_cli.facts import BoxFacts, Facts, LevelFacts, LossFacts
from detloss_cli.facts.box_groups import BoxGroup, BoxGroups
from detloss_cli.inputs.labels import Labels
from detloss_cli.inputs.relative import relative
from detloss_cli.measure.size_classes import LARGE_PX, SMALL_PX

KINDS = ("class", "size", "level", "folder", "image", "box")
SIZES = (f"small <{SMALL_PX:g}", f"medium <{LARGE_PX:g}", "large")
TOP = 20  # groups that are kept where nobody says how many


@dataclass(frozen=True, slots=True)
class _Boxes:
    """N boxes. image: (N,). positives: (N,) rows. px: (N,) side of the square of the same area. loss: (N, T), what each adds by term."""

    image: NDArray[np.int64]
    positives: NDArray[np.int64]
    px: NDArray[np.float64]
    terms: tuple[str, ...]
    loss: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Sums:
    """G groups. images, boxes, positives, without: (G,). median_px: (G,), NaN without boxes. loss: (G, T)."""

    images: NDArray[np.int64]
    boxes: NDArray[np.int64]
    positives: NDArray[np.int64]
    without: NDArray[np.int64]
    median_px: NDArray[np.float64]
    terms: tuple[str, ...]
    loss: NDArray[np.float64]

    def group(self, one: int, name: str) -> BoxGroup:
        median = float(self.median_px[one])
        return BoxGroup(
            name=name,
            images=int(self.images[one]),
            boxes=int(self.boxes[one]),
            positives=int(self.positives[one]),
            without=int(self.without[one]),
            median_px=None if math.isnan(median) else median,
            loss=dict(zip(self.terms, self.loss[one].tolist(), strict=True)),
        )

    def together(self, chosen: NDArray[np.int64]) -> BoxGroup | None:
        """Several groups as one: no median, and an image that several of them share counts for each."""
        if not len(chosen):
            return None
        columns = (self.images, self.boxes, self.positives, self.without)
        images, boxes, positives, without = (int(column[chosen].sum()) for column in columns)
        loss = dict(zip(self.terms, self.loss[chosen].sum(axis=0).tolist(), strict=True))
        return BoxGroup(f"{len(chosen):,} more", images, boxes, positives, without, None, loss)

    def order(self) -> NDArray[np.int64]:
        """Most of the loss first, what is no number before all; without a loss most boxes without a positive, then fewest rows a box."""
        if self.terms:
            whole = self.loss.sum(axis=1)
            return np.lexsort((-self.boxes, -np.where(np.isfinite(whole), whole, np.inf)))
        a_box = self.positives / np.maximum(self.boxes, 1)
        return np.lexsort((-self.boxes, a_box, self.boxes == 0, -self.without))


def box_groups(facts: Facts, labels: Labels, by: str, top: int | None = None) -> BoxGroups:
    """The boxes of a run by group.

    Args:
        facts: with boxes and levels, and with the loss where it was computed. labels: the same boxes, with their images.
        by: one of KINDS. top: how many classes, folders, images or boxes are kept.

    Raises:
        ValueError: an unknown kind, or facts without boxes.
    """
    if facts.boxes is None or by not in KINDS:
        raise ValueError(f"expected facts of boxes and one of {', '.join(KINDS)}, got {by!r}")
    boxes, own = _boxes(facts, facts.boxes, labels), facts.box_loss
    empty = dict(own.background) if own is not None else {}
    if by == "level":
        rows = _levels(facts.boxes, facts.levels or (), facts.loss, boxes)
        return BoxGroups(by, rows, len(rows), None, {})
    if by == "size":
        sums = _summed(boxes, np.searchsorted([SMALL_PX, LARGE_PX], boxes.px, side="right"), len(SIZES))
        return BoxGroups(by, tuple(sums.group(one, name) for one, name in enumerate(SIZES)), len(SIZES), None, empty)
    root = facts.data.root if facts.data is not None else ""
    key, names, images = _keys(by, labels, root)
    sums = _summed(boxes, key, len(names), images)
    order = sums.order()
    order = order[sums.boxes[order] > 0] if by == "class" else order
    shown, rest = np.split(order, [TOP if top is None else top])
    groups = [sums.group(one, names[one]) for one in shown.tolist()]
    if by == "image":
        groups = [replace(group, path=labels.images.path[one]) for one, group in zip(shown.tolist(), groups, strict=True)]
    if by == "box":
        groups = [_single(one, group, facts.boxes, labels, root) for one, group in zip(shown.tolist(), groups, strict=True)]
    return BoxGroups(by, tuple(groups), len(order), sums.together(rest), empty)


def with_box_groups(facts: Facts, labels: Labels, by: str | None, top: int | None) -> Facts:
    """The facts with their boxes by group, as they are where no group is asked for."""
    return facts if by is None or facts.boxes is None else replace(facts, groups=box_groups(facts, labels, by, top))


def _boxes(facts: Facts, boxes: BoxFacts, labels: Labels) -> _Boxes:
    own = facts.box_loss
    area = (boxes.width * boxes.height).astype(np.float64)
    return _Boxes(
        image=labels.image,
        positives=boxes.positives.sum(axis=1).astype(np.int64),
        px=np.sqrt(np.clip(area, 0, None)),
        terms=own.terms if own is not None else (),
        loss=own.loss if own is not None else np.zeros((len(area), 0)),
    )


def _keys(by: str, labels: Labels, root: str) -> tuple[NDArray[np.int64], Sequence[str], NDArray[np.int64] | None]:
    """Group of each box, name of each group, and images of each where some have no boxes."""
    images = labels.images
    if by == "class":
        return labels.cls, [_called(one, labels.names) for one in range(int(labels.cls.max(initial=-1)) + 1)], None
    if by == "box":
        return np.arange(len(labels), dtype=np.int64), [""] * len(labels), None
    if by == "image":
        return labels.image, [relative(path, root) for path in images.path], np.ones(len(images), dtype=np.int64)
    folders = [os.path.dirname(label or path) for path, label in zip(images.path, images.label_path, strict=True)]
    place = {folder: number for number, folder in enumerate(sorted(set(folders)))}
    of = np.asarray([place[folder] for folder in folders], dtype=np.int64)
    return of[labels.image], [relative(folder, root) for folder in place], np.bincount(of, minlength=len(place))


def _single(one: int, group: BoxGroup, boxes: BoxFacts, labels: Labels, root: str) -> BoxGroup:
    path, line = boxes.path[one], int(boxes.line[one])
    cls = _called(int(labels.cls[one]), labels.names)
    return replace(group, name=f"{relative(path, root)}:{line}", path=path, line=line, cls=cls, reason=boxes.text[one] or None)


def _called(cls: int, names: Sequence[str]) -> str:
    return names[cls] if cls < len(names) else f"class_{cls}"


def _summed(boxes: _Boxes, key: NDArray[np.int64], number: int, images: NDArray[np.int64] | None = None) -> _Sums:
    """Sums of each group. key: (N,) index of the group. images: of each group, None to count those that hold its boxes."""
    counts = np.bincount(key, minlength=number)
    if images is None:
        several = max(1, int(boxes.image.max(initial=0)) + 1)
        images = np.bincount(np.unique(key.astype(np.int64) * several + boxes.image) // several, minlength=number)
    return _Sums(
        images=images,
        boxes=counts,
        positives=np.bincount(key, weights=boxes.positives, minlength=number).astype(np.int64),
        without=np.bincount(key[boxes.positives == 0], minlength=number),
        median_px=_medians(key, boxes.px, counts),
        terms=boxes.terms,
        loss=np.stack([np.bincount(key, weights=column, minlength=number) for column in boxes.loss.T], axis=1)
        if boxes.terms
        else np.zeros((number, 0)),
    )


def _medians(key: NDArray[np.int64], px: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(G,) of each group, NaN of an empty one."""
    ordered = px[np.lexsort((px, key))]
    last = np.cumsum(counts)
    first, some = last - counts, counts > 0
    found = np.full(len(counts), np.nan)
    low, high = (first + (counts - 1) // 2)[some], (first + counts // 2)[some]
    found[some] = (ordered[low] + ordered[high]) / 2
    return found


def _levels(boxes: BoxFacts, levels: Sequence[LevelFacts], loss: LossFacts | None, own: _Boxes) -> tuple[BoxGroup, ...]:
    """A level holds its boxes and all its cells; terms without a level belong to the only one, or to a row of their own."""
    terms = loss.terms if loss is not None else ()
    rows = []
    for index, level in enumerate(levels):
        here = boxes.positives[:, index] > 0
        values = {term.name: term.value for term in terms if term.level == level.level or (term.level is None and len(levels) == 1)}
        median = float(np.median(own.px[here])) if here.any() else None
        rows.append(BoxGroup(level.level, len(np.unique(own.image[here])), int(here.sum()), level.positives, None, median, values))
    whole = {term.name: term.value for term in terms if term.level is None} if len(levels) != 1 else {}
    return (*rows, BoxGroup("every level", 0, 0, 0, None, None, whole)) if whole else tuple(rows)
