"""Heat maps counted: by hand for a few cells, and against what the loss itself says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from detloss_cli import families
from detloss_cli.inputs.head import Head, Level
from detloss_cli.measure.counted import host
from detloss_cli.measure.maps import MapCount, near_centres
from detloss_cli.targets.assignment import Assignment, Targets

HEAD = Head("small", (Level("P2", 4, 8, 8),), 3, (32, 32))


def rows_of(cells: list[tuple[int, int, int]], radii: list[int]) -> Assignment:
    """One row an object: (image, row, col)."""
    image, row, col = (np.array(column, dtype=np.int64) for column in zip(*cells, strict=True)) if cells else (np.zeros(0, np.int64),) * 3
    zeros, gt = np.zeros_like(image), np.arange(len(cells))
    return Assignment(zeros, image, zeros, row, col, gt, {"radius": np.array(radii, dtype=np.int64)})


def test_counts_by_hand() -> None:
    count = MapCount(HEAD)
    # two of class 0 and one of class 1 in one cell, the same cell of another image, a lonely one
    count.add(rows_of([(0, 1, 1), (0, 1, 1), (0, 1, 1), (1, 1, 1), (0, 2, 5)], [0, 2, 2, 0, 3]), np.array([0, 0, 1, 0, 0]))
    count.add(rows_of([(0, 1, 1)], [5]), np.array([2]))
    (found,) = count.facts()
    assert (found.positives, found.centres, found.shared) == (6, 5, 3)
    assert found.radius_histogram == (2, 0, 2, 1, 0, 1)
    assert (found.cells, found.near_cells, found.near_weight) == (64, None, None)


def test_nothing_is_counted_as_nothing() -> None:
    count = MapCount(HEAD)
    count.add(rows_of([], []), np.zeros(0, dtype=np.int64))
    (found,) = count.facts()
    assert (found.positives, found.centres, found.shared, found.radius_histogram) == (0, 0, 0, ())


def test_weights_near_centres_are_a_mean_over_cells() -> None:
    batches = [[{"near_cells": 10, "near_weight": 0.5}], [{"near_cells": 30, "near_weight": 0.9}], [{"near_cells": 0, "near_weight": 1.0}]]
    cells, weight = near_centres(batches, 0)
    assert (cells, weight) == (40, pytest.approx(0.8))
    assert near_centres([[{"near_cells": 0, "near_weight": 1.0}]], 0) == (0, None)


@pytest.mark.parametrize("name", ["centernet", "cornernet"])
def test_centres_are_what_the_loss_divides_by(name: str) -> None:
    family = families.load(name)
    maps = 2 if name == "cornernet" else 1
    head = Head("small", tuple(Level(f"m{i}", 4, 32, 32) for i in range(maps)), 3, (128, 128))
    source = np.random.default_rng(5)
    low = source.uniform(0, 80, (60, 2)).astype(np.float32)
    corners = np.concatenate((low, low + source.uniform(4, 40, (60, 2)).astype(np.float32)), axis=1)
    image, cls = np.sort(source.integers(0, 3, 60)), source.integers(0, 3, 60)
    targets = Targets(torch.from_numpy(image), torch.from_numpy(cls), torch.from_numpy(corners), 3, "xyxy_px")
    profile = list(family.PROFILES)[-1]
    assignment = family.assign(head, family.Hyp(), targets, profile=profile)
    shape = family.prior(head, family.Hyp(), profile)[0].shape
    from detloss_cli.predictions.interface import DensePredictions

    dense = DensePredictions([torch.zeros(3, 1, 32, 32, shape[1]) for _ in head.levels])
    breakdown = family.loss(head, family.Hyp(), targets, dense, assignment, profile=profile)
    count = MapCount(head)
    count.add(host(assignment), cls)
    for index, one in enumerate(count.facts()):
        said = breakdown.extra["maps"][index]
        assert (one.centres, one.positives) == (said["centres"], 60)
        assert sum(one.radius_histogram) == 60
        assert 0 < said["near_weight"] < 1
