"""Anchors fitted to boxes: k-means on the shapes, then evolution by the fitness that the assignment rewards. numpy only.

Source: the idea of AutoAnchor in ultralytics/yolov5; here on weighted points, so that a large set takes no longer than a small one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detloss_cli.measure.anchor_match import Matching

Float = NDArray[np.float32]

BINS = 256  # along each side of the histogram
SMALLEST_PX = 2.0  # boxes with both sides below it are left out of a fit, and no anchor gets smaller
RESTARTS, ROUNDS = 4, 20  # of k-means
LOG_SPREAD = (float(np.log(0.01)), float(np.log(0.3)))  # of one step's standard deviation, as a share of the side


@dataclass(frozen=True, slots=True)
class Points:
    """Shapes with weights. width, height: (K,) px of the network input. weight: (K,) boxes that each stands for."""

    width: Float
    height: Float
    weight: Float

    def __len__(self) -> int:
        return len(self.weight)

    def scaled(self, factor: float) -> Points:
        """The same boxes, all larger by a factor."""
        return Points(self.width * np.float32(factor), self.height * np.float32(factor), self.weight)


def weighted_points(size_px: Float) -> Points:
    """The boxes themselves, or where there are many the means of a histogram over log2 of width and height.

    Args:
        size_px: (N, 2). Boxes with a side of 0 or less are left out: no anchor meets them.
    """
    width, height = (np.ascontiguousarray(size_px[:, axis]) for axis in range(2))
    real = (width > 0) & (height > 0)
    if not real.all():
        width, height = width[real], height[real]
    if len(width) <= BINS * BINS // 2:
        return Points(width, height, np.ones(len(width), dtype=np.float32))
    key = _bins(width) * BINS + _bins(height)
    count = np.bincount(key, minlength=BINS * BINS)
    used = np.flatnonzero(count)
    means = [(np.bincount(key, weights=side, minlength=BINS * BINS)[used] / count[used]).astype(np.float32) for side in (width, height)]
    return Points(means[0], means[1], count[used].astype(np.float32))


def _bins(side: Float) -> NDArray[np.int32]:
    """(N,) place of each side on a log2 scale, 0..BINS - 1."""
    logs = np.log2(side)
    low, high = logs.min(), logs.max()
    logs -= low
    logs *= np.float32((BINS - 1) / max(float(high - low), 1e-6))
    return logs.astype(np.int32)


def closeness(points: Points, anchors_px: Float, matching: Matching) -> Float:
    """(K,) how well the best anchor fits each shape, 0..1.

    ratio: the smallest of w/aw, aw/w, h/ah, ah/h. shape, best: the IoU of shapes laid on one corner.
    """
    close, best = _closeness_of(points, matching), np.zeros(len(points), dtype=np.float32)
    for anchor in anchors_px:
        best = np.maximum(best, close(anchor))
    return best


def least(matching: Matching) -> float:
    """The closeness from which a box is matched, exclusive."""
    return 1 / matching.threshold if matching.test == "ratio" else matching.threshold


def recall(points: Points, anchors_px: Float, matching: Matching) -> float:
    """Share of the boxes with an anchor."""
    return _mean((closeness(points, anchors_px, matching) > least(matching)).astype(np.float32), points)


def fitness(points: Points, anchors_px: Float, matching: Matching) -> float:
    """Mean closeness, counted as 0 for boxes that no anchor takes."""
    close = closeness(points, anchors_px, matching)
    return _mean(np.where(close > least(matching), close, np.float32(0)), points)


def fit_anchors(size_px: Float, number: int, matching: Matching, *, seed: int = 0, generations: int = 1000) -> Float:
    """(number, 2) anchors in px, by area. The same numbers for the same seed.

    Args:
        size_px: (N, 2) of the boxes. number: how many anchors. matching: what they shall be good at. generations: of the evolution.

    Raises:
        ValueError: fewer distinct shapes of at least 2 px than anchors.
    """
    points = weighted_points(size_px[(size_px >= SMALLEST_PX).any(axis=1)])
    distinct = len(np.unique(np.stack((points.width, points.height)), axis=1).T)
    if distinct < number:
        raise ValueError(f"expected at least {number} boxes of different shape, got {distinct}")
    rng = np.random.default_rng(seed)
    start = np.maximum(_k_means(points, number, rng), np.float32(SMALLEST_PX))
    best = _evolved(points, start, matching, rng, generations)
    return best[np.argsort(best.prod(axis=1), kind="stable")]


def _evolved(points: Points, anchors: Float, matching: Matching, rng: np.random.Generator, generations: int) -> Float:
    """Random steps of one anchor at a time, large and small ones by turns, each kept if the set gets fitter."""
    close = _closeness_of(points, matching)
    rows = np.stack([close(anchor) for anchor in anchors])
    weight, bound = points.weight, np.float32(least(matching))
    best = _worth(rows.max(axis=0), bound, weight)
    for _ in range(generations):
        which = int(rng.integers(len(anchors)))
        spread = np.exp(rng.uniform(*LOG_SPREAD))
        moved = np.maximum(anchors[which] * np.exp(rng.standard_normal(2) * spread), SMALLEST_PX).astype(np.float32)
        candidate, old = close(moved), rows[which].copy()
        rows[which] = candidate
        value = _worth(rows.max(axis=0), bound, weight)
        if value > best:
            anchors[which], best = moved, value
        else:
            rows[which] = old
    return anchors


def _worth(close: Float, bound: np.float32, weight: Float) -> float:
    """Sum of the closeness that counts."""
    # einsum and not dot: threads of a matrix library cost more than they bring on a column of this length
    return float(np.einsum("k,k->", np.where(close > bound, close, np.float32(0)), weight))


def _closeness_of(points: Points, matching: Matching) -> Callable[[Float], Float]:
    """(K,) closeness to one anchor."""
    if matching.test == "ratio":
        width, height = np.log(points.width), np.log(points.height)

        def ratio(anchor: Float) -> Float:
            wide, high = np.abs(width - np.log(anchor[0])), np.abs(height - np.log(anchor[1]))
            close: Float = np.exp(-np.maximum(wide, high, out=wide))
            return close

        return ratio
    area = points.width * points.height

    def shape(anchor: Float) -> Float:
        inter = np.minimum(points.width, anchor[0]) * np.minimum(points.height, anchor[1])
        close: Float = inter / (area + anchor[0] * anchor[1] - inter)
        return close

    return shape


def _k_means(points: Points, number: int, rng: np.random.Generator) -> Float:
    """The best of some runs of Lloyd's iteration on the logarithms of the sides, where equal ratios are equally far apart."""
    logs = np.log(np.stack((points.width, points.height)))
    runs = [_lloyd(logs, points.weight, _seeds(logs, points.weight, number, rng)) for _ in range(RESTARTS)]
    return np.exp(min(runs, key=lambda run: run[1])[0]).T.astype(np.float32)


def _seeds(logs: Float, weight: Float, number: int, rng: np.random.Generator) -> Float:
    """(2, number) first centres: each next one is drawn with a chance that grows with the square of its distance to those there are."""
    chance = weight.astype(np.float64)
    nearest = np.full(len(weight), np.inf)
    chosen: list[int] = []
    for _ in range(number):
        sums = np.cumsum(chance)
        chosen.append(int(np.searchsorted(sums, rng.random() * sums[-1], side="right").clip(0, len(sums) - 1)))
        apart = logs - logs[:, chosen[-1] :][:, :1]
        nearest = np.minimum(nearest, (apart**2).sum(axis=0))
        chance = nearest * weight
    return logs[:, chosen]


def _lloyd(logs: Float, weight: Float, centres: Float) -> tuple[Float, float]:
    """Centres after the iteration, and their weighted squared error."""
    error = np.inf
    for _ in range(ROUNDS):
        apart = [(logs[0] - x) ** 2 + (logs[1] - y) ** 2 for x, y in centres.T]
        nearest, own = apart[0], np.zeros(len(weight), dtype=np.int64)
        for index, row in enumerate(apart[1:], 1):
            closer = row < nearest
            nearest, own[closer] = np.where(closer, row, nearest), index
        now = float(np.einsum("k,k->", nearest, weight))
        mass = np.bincount(own, weights=weight, minlength=centres.shape[1])
        sums = np.stack([np.bincount(own, weights=weight * logs[axis], minlength=centres.shape[1]) for axis in range(2)])
        centres = np.where(mass > 0, sums / np.maximum(mass, 1e-12), centres).astype(np.float32)
        if now > error * (1 - 1e-3):
            break
        error = now
    return centres, now


def _mean(values: Float, points: Points) -> float:
    total = float(points.weight.sum(dtype=np.float64))
    return float(np.einsum("k,k->", values.astype(np.float64), points.weight.astype(np.float64))) / total if total else 0.0
