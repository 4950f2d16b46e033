from __future__ import annotations

import numpy as np
import pytest

from detloss_cli.inputs.heads import BUILT_IN
from detloss_cli.measure import anchor_fit
from detloss_cli.measure.anchor_fit import Points, closeness, fit_anchors, fitness, recall, weighted_points
from detloss_cli.measure.anchor_match import Matching, count_matches

RATIO = Matching("ratio", 4.0)
COCO = np.array([anchor for row in BUILT_IN["yolov5s"].anchors for anchor in row], dtype=np.float32)


def shapes(number: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.exp(rng.normal([3.5, 3.7], [1.1, 1.0], (number, 2))).clip(1, 640).astype(np.float32)


def by_definition(size: np.ndarray, anchors: np.ndarray, threshold: float) -> tuple[float, float]:
    """Best possible recall and fitness written out in float64."""
    ratio = size[:, None].astype(np.float64) / anchors[None]
    best = np.minimum(ratio, 1 / ratio).min(axis=2).max(axis=1)
    return float((best > 1 / threshold).mean()), float((best * (best > 1 / threshold)).mean())


def test_recall_and_fitness_by_their_definition():
    size = shapes(3000)
    points = weighted_points(size)
    expected = by_definition(size, COCO, 4.0)
    assert len(points) == 3000
    assert (recall(points, COCO, RATIO), fitness(points, COCO, RATIO)) == pytest.approx(expected, abs=2e-6)


def test_closeness_of_shapes_is_their_iou():
    points = Points(np.float32([10, 20]), np.float32([10, 5]), np.ones(2, np.float32))
    assert closeness(points, np.float32([[10, 20]]), Matching("shape", 0.2)).tolist() == pytest.approx([100 / 200, 50 / 250])


def test_a_histogram_stands_for_the_boxes():
    size = shapes(60_000)
    size[:3] = [[0, 10], [10, 0], [0, 0]]
    points = weighted_points(size)
    assert len(points) < 30_000
    assert points.weight.sum() == 59_997
    assert np.average(points.width, weights=points.weight) == pytest.approx(size[3:, 0].mean(), rel=1e-4)
    expected = by_definition(size[3:], COCO, 4.0)
    assert (recall(points, COCO, RATIO), fitness(points, COCO, RATIO)) == pytest.approx(expected, abs=5e-4)


def test_all_boxes_alike_in_a_histogram():
    points = weighted_points(np.full((40_000, 2), 12, dtype=np.float32))
    assert (points.width.tolist(), points.weight.tolist()) == ([12.0], [40_000.0])


def test_a_fit_is_better_and_always_the_same():
    size = shapes(2000)
    first, second = (fit_anchors(size, 9, RATIO, seed=3, generations=300) for _ in range(2))
    assert first.tolist() == second.tolist() != fit_anchors(size, 9, RATIO, seed=4, generations=300).tolist()
    assert (np.diff(first.prod(axis=1)) >= 0).all()
    assert by_definition(size, first, 4.0)[1] > by_definition(size, COCO, 4.0)[1] + 0.01


def test_evolution_never_makes_it_worse():
    size = shapes(2000)
    found = [by_definition(size, fit_anchors(size, 6, RATIO, generations=g), 4.0)[1] for g in (0, 50, 400)]
    assert found == sorted(found)
    assert found[2] > found[0]


def test_a_fit_finds_the_shapes_that_there_are():
    wanted = np.float32([[8, 8], [40, 20], [100, 200]])
    size = np.repeat(wanted, 50, axis=0) * np.random.default_rng(0).uniform(0.97, 1.03, (150, 2)).astype(np.float32)
    assert fit_anchors(size, 3, RATIO) == pytest.approx(wanted, rel=0.04)
    assert fit_anchors(size, 3, Matching("shape", 0.2)) == pytest.approx(wanted, rel=0.06)


def test_too_few_shapes_and_tiny_boxes():
    size = np.float32([[10, 10]] * 20 + [[1, 1]] * 20 + [[1, 2]])
    assert len(fit_anchors(size, 2, RATIO)) == 2
    with pytest.raises(ValueError, match="at least 3 boxes of different shape, got 2"):
        fit_anchors(size, 3, RATIO)


def test_no_anchor_gets_smaller_than_a_fit_looks_at():
    size = np.float32([[2, 0.5], [3, 0.7], [4, 0.9], [50, 60]])
    assert fit_anchors(size, 3, RATIO).min() >= anchor_fit.SMALLEST_PX


def test_the_count_agrees_with_the_recall():
    size = shapes(5000)
    network = np.concatenate((np.full((5000, 2), 0.3, np.float32), size / np.float32(640)), axis=1)
    count = count_matches(network, BUILT_IN["yolov5s"].at((640, 640), 1).levels, RATIO)
    assert count.recall == pytest.approx(recall(weighted_points(size), COCO, RATIO), abs=1e-3)
