"""Which boxes each anchor takes, counted over a whole data set without an index of the rows. numpy only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from detloss_cli.geometry.iou import shape_iou
from detloss_cli.inputs.head import Level
from detloss_cli.targets.anchor_ratio import Mirror

Test = Literal["ratio", "shape", "best"]
CHUNK = 1 << 16  # boxes: what a few columns of float32 keep in the cache
Float = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Matching:
    """How a family decides. ratio: largest side ratio below `threshold` (yolov5, yolov7). shape: IoU of shapes above it (yolov3-spp).
    best: the one anchor with the largest IoU of shapes (keras-yolo3), threshold 0.

    mirror: how the right and lower neighbour cells are found; read by `ratio` only.
    """

    test: Test
    threshold: float
    mirror: Mirror = "complement"


@dataclass(frozen=True, slots=True)
class MatchCount:
    """Sums over all boxes. N boxes, L levels.

    matches: (A,) pairs of a box and an anchor that pass, by level. positives: (A,) rows of the assignment, by level.
    anchors: (N, L) anchors of each box. rows: (N, L) rows of each box. taken: boxes with an anchor.
    """

    matches: tuple[NDArray[np.int64], ...]
    positives: tuple[NDArray[np.int64], ...]
    anchors: NDArray[np.uint8]
    rows: NDArray[np.uint16]
    taken: int

    @property
    def recall(self) -> float | None:
        """Best possible recall: the share of boxes with at least one anchor; None without boxes."""
        return self.taken / len(self.anchors) if len(self.anchors) else None

    @property
    def per_box(self) -> float | None:
        """Anchors a box; None without boxes."""
        return float(sum(int(one.sum()) for one in self.matches) / len(self.anchors)) if len(self.anchors) else None


def count_matches(network: Float, levels: Sequence[Level], matching: Matching) -> MatchCount:
    """Matches and rows of every level and anchor: the integers of the assignment, in its float32 arithmetic.

    rows = matches x cells: how many neighbour cells a centre takes does not depend on the anchor.

    Args:
        network: (N, 4) centre and size in 0..1 of the network input, sides not negative. levels: with their anchors, px.
    """
    boxes, count = len(network), len(levels)
    matches = tuple(np.zeros(len(level.anchors), dtype=np.int64) for level in levels)
    positives = tuple(np.zeros(len(level.anchors), dtype=np.int64) for level in levels)
    anchors = np.zeros((boxes, count), dtype=np.uint8)
    rows = np.zeros((boxes, count), dtype=np.uint16)
    taken = 0
    for first in range(0, boxes, CHUNK):
        part = slice(first, min(first + CHUNK, boxes))
        columns = tuple(np.ascontiguousarray(network[part, axis]) for axis in range(4))
        anywhere = np.zeros(len(columns[0]), dtype=np.uint8)
        for index, hits in enumerate(_hits(columns, levels, matching)):
            cells = _cells(columns, levels[index], matching)
            weights = cells.astype(np.float32)  # sums of a chunk stay below 2^24, so float32 holds them exactly
            own = np.zeros(len(cells), dtype=np.uint8)
            for anchor, hit in enumerate(hits):
                matches[index][anchor] += np.count_nonzero(hit)
                positives[index][anchor] += int(np.einsum("n,n->", weights, hit.astype(np.float32)))
                own += hit
            anchors[part, index] = own
            rows[part, index] = own * cells
            anywhere |= own
        taken += int(np.count_nonzero(anywhere))
    return MatchCount(matches, positives, anchors, rows, taken)


def beyond_reach(network: Float, levels: Sequence[Level], matching: Matching, reach: float) -> int:
    """Pairs of a box and an anchor that match although the box is more than `reach` times as wide or as high as the anchor: a decode that
    ends at `reach` anchors cannot answer them."""
    found = 0
    if matching.test != "ratio" or matching.threshold <= reach:
        return found
    for first in range(0, len(network), CHUNK):
        columns = tuple(np.ascontiguousarray(network[first : first + CHUNK, axis]) for axis in range(4))
        for level, hits in zip(levels, _hits(columns, levels, matching), strict=True):
            for (wide, high), hit in zip(_side_ratios(columns, level), hits, strict=True):
                found += int(np.count_nonzero(hit & ((wide > reach) | (high > reach))))
    return found


def _hits(columns: tuple[Float, ...], levels: Sequence[Level], matching: Matching) -> Iterator[list[NDArray[np.bool_]]]:
    """For each level one (n,) bool an anchor."""
    if matching.test == "ratio":
        for level in levels:
            yield [_within(wide, matching.threshold) & _within(high, matching.threshold) for wide, high in _side_ratios(columns, level)]
        return
    overlaps = [_shape_overlaps(columns, level) for level in levels]
    if matching.test == "shape":
        yield from ([row > matching.threshold for row in overlap] for overlap in overlaps)
        return
    stacked = np.concatenate(overlaps)
    best, valid = np.argmax(stacked, axis=0), columns[2] > 0
    start = 0
    for level in levels:
        yield [(best == start + anchor) & valid for anchor in range(len(level.anchors))]
        start += len(level.anchors)


def _side_ratios(columns: tuple[Float, ...], level: Level) -> Iterator[tuple[Float, Float]]:
    """Width and height of the boxes over those of each anchor of a level."""
    wide, high = columns[2] * np.float32(level.cols), columns[3] * np.float32(level.rows)
    for width, height in np.asarray(level.anchors, dtype=np.float32).reshape(-1, 2) / np.float32(level.stride):
        yield wide / width, high / height


def _within(ratio: Float, threshold: float) -> NDArray[np.bool_]:
    with np.errstate(divide="ignore"):
        found: NDArray[np.bool_] = (ratio < threshold) & (np.float32(1) / ratio < threshold)
    return found


def _shape_overlaps(columns: tuple[Float, ...], level: Level) -> Float:
    """(A, n) IoU of shapes, in cells of the level."""
    sides = np.stack((columns[2] * np.float32(level.cols), columns[3] * np.float32(level.rows)), axis=1)
    anchors = np.asarray(level.anchors, dtype=np.float32).reshape(-1, 2) / np.float32(level.stride)
    with np.errstate(invalid="ignore"):
        overlaps: Float = np.nan_to_num(shape_iou(anchors[:, None, :], sides[None]), nan=0.0)
    return overlaps


def _cells(columns: tuple[Float, ...], level: Level, matching: Matching) -> NDArray[np.uint16]:
    """(n,) cells that a box takes for each anchor it matches: its own, and with `ratio` up to two neighbours, more on whole numbers."""
    taken = np.ones(len(columns[0]), dtype=np.uint16)
    if matching.test != "ratio":
        return taken
    for column, size in ((columns[0], level.cols), (columns[1], level.rows)):
        centre = column * np.float32(size)
        fraction = centre - np.floor(centre)
        taken += (fraction < 0.5) & (centre > 1.0)
        if matching.mirror == "complement":
            mirrored = np.float32(size) - centre
            taken += (mirrored - np.floor(mirrored) < 0.5) & (mirrored > 1.0)
        else:
            taken += (fraction > 0.5) & (centre < size - 1.0)
    return taken
