from __future__ import annotations

import numpy as np
import pytest

from detloss_cli.inputs.heads import BUILT_IN
from detloss_cli.measure import anchor_match
from detloss_cli.measure.anchor_match import Matching, beyond_reach, count_matches
from detloss_cli.targets.anchor_ratio import assign_by_anchor_ratio
from detloss_cli.targets.assignment import Targets
from detloss_cli.targets.shape_match import assign_by_shape

HEAD = BUILT_IN["yolov5s"].at((384, 640), 80)


def boxes(number: int, seed: int = 0) -> np.ndarray:
    """Random ones, ones that stand on cells and halves of cells, and sides at the threshold."""
    rng = np.random.default_rng(seed)
    found = np.concatenate((rng.uniform(0, 1, (number, 2)), np.exp(rng.uniform(-7, 0, (number, 2)))), axis=1)
    found[::3, 0] = rng.integers(0, 161, len(found[::3])) / 160
    found[1::3, 1] = rng.integers(0, 97, len(found[1::3])) / 96
    found[::7, 2:] = (np.array([10, 13]) * 4 / np.array([640, 384]))[None]
    found[::11, 2] = 0
    return found.astype(np.float32)


@pytest.mark.parametrize("mirror", ["complement", "fraction"])
@pytest.mark.parametrize("threshold", [4.0, 2.91, 8.0])
@pytest.mark.parametrize("chunk", [7, 1 << 16])
def test_counts_are_those_of_the_assignment(mirror, threshold, chunk, monkeypatch):
    monkeypatch.setattr(anchor_match, "CHUNK", chunk)
    network = boxes(400)
    targets = Targets(np.zeros(400, np.int64), np.zeros(400, np.int64), network, 1)
    with np.errstate(divide="ignore"):
        rows = assign_by_anchor_ratio(targets, HEAD.levels, threshold=threshold, mirror=mirror)
    count = count_matches(network, HEAD.levels, Matching("ratio", threshold, mirror))
    assert len(rows) > 0
    for index in range(3):
        here = rows.level == index
        assert count.positives[index].tolist() == np.bincount(rows.anchor[here], minlength=3).tolist()
        pairs = np.unique(rows.gt[here] * 3 + rows.anchor[here])
        assert count.matches[index].tolist() == np.bincount(pairs % 3, minlength=3).tolist()
        assert count.rows[:, index].tolist() == np.bincount(rows.gt[here], minlength=400).tolist()
        assert count.anchors[:, index].tolist() == np.bincount(pairs // 3, minlength=400).tolist()
    assert count.recall == len(np.unique(rows.gt)) / 400


def test_shapes_are_counted_as_yolov3_spp_does():
    network = boxes(400, seed=1)
    targets = Targets(np.zeros(400, np.int64), np.zeros(400, np.int64), network, 1)
    rows = assign_by_shape(targets, HEAD.levels, threshold=0.2)
    count = count_matches(network, HEAD.levels, Matching("shape", 0.2))
    assert sum(int(one.sum()) for one in count.positives) == len(rows) > 0
    assert count.rows.sum(axis=1).tolist() == np.bincount(rows.gt, minlength=400).tolist()


def test_best_gives_each_box_with_a_width_one_anchor():
    network = boxes(400)
    count = count_matches(network, HEAD.levels, Matching("best", 0.0))
    assert count.anchors.sum(axis=1).tolist() == (network[:, 2] > 0).astype(int).tolist()
    exact = np.array([[0.5, 0.5, 59 / 640, 119 / 384]], dtype=np.float32)
    assert [one.tolist() for one in count_matches(exact, HEAD.levels, Matching("best", 0.0)).matches] == [[0] * 3, [0, 0, 1], [0] * 3]


def test_nothing_comes_of_nothing():
    count = count_matches(np.zeros((0, 4), np.float32), HEAD.levels, Matching("ratio", 4.0))
    assert (count.recall, count.per_box, [one.tolist() for one in count.matches]) == (None, None, [[0, 0, 0]] * 3)


def test_beyond_the_reach_of_the_decode():
    network = np.array([[0.5, 0.5, 50 / 640, 13 / 384], [0.5, 0.5, 30 / 640, 13 / 384]], dtype=np.float32)
    finest = HEAD.levels[:1]
    assert beyond_reach(network, finest, Matching("ratio", 6.0), 4.0) == 1  # 50 px to the anchor of 10 px; 4 x 13 is not beyond
    assert beyond_reach(network, finest, Matching("ratio", 4.0), 4.0) == 0
