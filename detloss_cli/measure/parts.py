"""A data set in parts whose batches share an input shape, as a rectangular training forms them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from detloss_cli.geometry.rect import PAD, PAD_ELSEWHERE, aspects, batch_shapes
from detloss_cli.inputs.head import Head
from detloss_cli.inputs.labels import Images, Labels
from detloss_cli.measure.batches import Batch


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive pictures: whole batches of one split and one input shape. head: at that shape."""

    images: range
    head: Head

    def rows(self, labels: Labels) -> slice:
        """Of the labels of all parts, whose images ascend."""
        first, last = np.searchsorted(labels.image, [self.images.start, self.images.stop])
        return slice(int(first), int(last))

    def of(self, labels: Labels) -> Labels:
        """The pictures of the part and their boxes, numbered from 0."""
        rows, here = self.rows(labels), slice(self.images.start, self.images.stop)
        old = labels.images
        images = Images(old.path[here], old.label_path[here], old.split[here], old.width[here], old.height[here])
        image = labels.image[rows] - self.images.start
        return Labels(image, labels.cls[rows], labels.boxes[rows], labels.line[rows], images, labels.names)

    def whole(self, batch: Batch, labels: Labels) -> Batch:
        """A batch of the part as one of all parts, with the head that sees it."""
        first = self.rows(labels).start
        rows = slice(batch.rows.start + first, batch.rows.stop + first)
        return replace(batch, first_image=batch.first_image + self.images.start, rows=rows, head=self.head)


def in_turn(images: Images) -> NDArray[np.int64]:
    """(M,) index of the pictures in the order of a rectangular training: each split by aspect, widest first; like ones in file order."""
    splits = {split: number for number, split in enumerate(dict.fromkeys(images.split))}
    split = np.asarray([splits[one] for one in images.split], dtype=np.int64)
    return np.lexsort((aspects(images.width, images.height), split)).astype(np.int64)  # stable


def reordered(labels: Labels, order: NDArray[np.int64]) -> Labels:
    """The labels with their pictures in another order; boxes of a picture keep theirs.

    Args:
        order: (M,) index of the pictures.
    """
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    image = place[labels.image]
    rows = np.argsort(image, kind="stable")
    return Labels(image[rows], labels.cls[rows], labels.boxes[rows], labels.line[rows], labels.images.take(order), labels.names)


def shapes_of(images: Images, size: int, side: int, stride: int) -> Iterator[tuple[range, tuple[int, int]]]:
    """Runs of whole batches of one split and one shape: their pictures, and height and width, px.

    Args:
        images: in the order of `in_turn`. size: pictures a batch. side: input size, px. stride: the largest, px.
    """
    aspect, split = aspects(images.width, images.height), np.asarray(images.split)
    edges = [0, *(np.flatnonzero(split[1:] != split[:-1]) + 1).tolist(), len(split)] if len(split) else [0]
    for start, stop in pairwise(edges):
        pad = PAD.get(images.split[start], PAD_ELSEWHERE)
        shapes = batch_shapes(aspect[start:stop], size, side, stride, pad)
        new = np.flatnonzero((shapes[1:] != shapes[:-1]).any(axis=1)) + 1
        for first, last in zip([0, *new.tolist()], [*new.tolist(), len(shapes)], strict=True):
            height, width = shapes[first].tolist()
            yield range(start + first * size, min(start + last * size, stop)), (height, width)


def largest(parts: Sequence[Part], head: Head) -> Head:
    """The head of the part with most cells, the first of them; `head` where there is no part."""
    return max((part.head for part in parts), key=lambda one: one.imgsz[0] * one.imgsz[1], default=head)


def sides_px(parts: Sequence[Part], labels: Labels) -> NDArray[np.float32]:
    """(N, 2) width and height of the input that each box is seen at."""
    counts = [rows.stop - rows.start for rows in (part.rows(labels) for part in parts)]
    sides = np.asarray([part.head.imgsz[::-1] for part in parts], dtype=np.float32).reshape(-1, 2)
    return np.repeat(sides, counts, axis=0)


def chosen_parts(parts: Sequence[Part], place: NDArray[np.int64]) -> tuple[Part, ...]:
    """The parts of the pictures that are left.

    Args:
        place: (M,) new index of each picture, -1 for those of splits that are left out.
    """
    kept = [part for part in parts if place[part.images.start] >= 0]
    starts = [int(place[part.images.start]) for part in kept]
    return tuple(replace(part, images=range(at, at + len(part.images))) for part, at in zip(kept, starts, strict=True))
