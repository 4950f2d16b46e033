"""The anchor-ratio assignment against the rules written out one box, one anchor and one neighbour at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from detloss_cli.inputs.head import Level
from detloss_cli.targets.anchor_ratio import assign_by_anchor_ratio, outside_grid
from detloss_cli.targets.assignment import Targets, without_rows

LEVELS = (
    Level("P3", 8, 10, 12, ((10.0, 13.0), (16.0, 30.0), (33.0, 23.0))),
    Level("P4", 16, 5, 6, ((30.0, 61.0), (62.0, 45.0), (59.0, 119.0))),
)


def one_at_a_time(targets: Targets, threshold: float, mirror: str) -> list[tuple[int, ...]]:
    rows = []
    for index, level in enumerate(LEVELS):
        matched = []
        size = np.asarray([level.cols, level.rows], dtype=np.float32)
        for anchor, sides in enumerate(np.asarray(level.anchors, dtype=np.float32) / np.float32(level.stride)):
            for gt, box in enumerate(targets.boxes * np.tile(size, 2)):
                with np.errstate(divide="ignore"):
                    ratio = max((box[2:] / sides).max(), (sides / box[2:]).max())
                if ratio < threshold:
                    matched.append((anchor, gt, box[:2]))
        blocks: list[list[tuple[int, ...]]] = [[] for _ in range(5)]
        for anchor, gt, centre in matched:
            for block, shift in enumerate(((0, 0), (0.5, 0), (0, 0.5), (-0.5, 0), (0, -0.5))):
                axis = 0 if shift[0] else 1
                x = centre[axis]
                far = size[axis] - x
                if block in (1, 2):
                    taken = x - math.floor(x) < 0.5 and x > 1
                elif block in (3, 4) and mirror == "complement":
                    taken = far - math.floor(far) < 0.5 and far > 1
                elif block in (3, 4):
                    taken = x - math.floor(x) > 0.5 and x < size[axis] - 1
                else:
                    taken = True
                if taken:
                    col = min(max(int(centre[0] - np.float32(shift[0])), 0), level.cols - 1)
                    row = min(max(int(centre[1] - np.float32(shift[1])), 0), level.rows - 1)
                    blocks[block].append((index, int(targets.image[gt]), anchor, row, col, gt))
        rows.extend(row for block in blocks for row in block)
    return rows


def targets_of(boxes: list[list[float]]) -> Targets:
    array = np.asarray(boxes, dtype=np.float32).reshape(-1, 4)
    return Targets(np.arange(len(array)) % 2, np.zeros(len(array), dtype=np.int64), array, 2)


@pytest.mark.parametrize("mirror", ["complement", "fraction"])
@pytest.mark.parametrize("seed", range(4))
def test_rows_are_those_of_the_rules_in_their_order(mirror, seed) -> None:
    random = np.random.default_rng(seed)
    size = random.uniform(0.01, 0.9, (60, 2))
    centre = random.integers(0, 25, (60, 2)) / 24  # often on a cell's border or in its middle, and on the picture's edge
    targets = targets_of(np.hstack((centre, size)).tolist())
    found = assign_by_anchor_ratio(targets, LEVELS, threshold=4.0, mirror=mirror)
    rows = list(zip(*(getattr(found, name).tolist() for name in ("level", "image", "anchor", "row", "col", "gt")), strict=True))
    assert rows == one_at_a_time(targets, 4.0, mirror)
    assert (found.extra["ratio"] < 4.0).all()


def test_a_ratio_of_exactly_the_threshold_does_not_match() -> None:
    level = (Level("P3", 8, 80, 80, ((16.0, 16.0),)),)
    exact, below = 64 / 640, 63.9 / 640
    assert len(assign_by_anchor_ratio(targets_of([[0.5, 0.5, exact, exact]]), level, threshold=4.0)) == 0
    assert len(assign_by_anchor_ratio(targets_of([[0.5, 0.5, below, below]]), level, threshold=4.0)) > 0


def test_a_box_without_size_matches_nothing_and_nothing_is_raised() -> None:
    targets = targets_of([[0.5, 0.5, 0.0, 0.2], [0.5, 0.5, 0.2, 0.2]])
    with np.errstate(divide="ignore"):
        found = assign_by_anchor_ratio(targets, LEVELS, threshold=4.0)
    assert without_rows(targets, found).tolist() == [0]


def test_a_centre_on_the_right_edge_stands_in_the_last_cell_twice_or_outside() -> None:
    level = (Level("P3", 8, 80, 80, ((16.0, 16.0),)),)
    targets = targets_of([[1.0, 0.50625, 0.025, 0.025]])
    clamped = assign_by_anchor_ratio(targets, level, threshold=4.0)
    assert clamped.col.tolist().count(79) == len(clamped) >= 2
    assert outside_grid(assign_by_anchor_ratio(targets, level, threshold=4.0, clamp=False), level).any()


def test_an_integer_centre_takes_its_own_cell_twice_since_release_three() -> None:
    level = (Level("P3", 8, 80, 80, ((16.0, 16.0),)),)
    targets = targets_of([[16 / 80, 16.5 / 80, 0.025, 0.025]])
    assert assign_by_anchor_ratio(targets, level, threshold=4.0).col.tolist() == [16, 15, 16]
    assert assign_by_anchor_ratio(targets, level, threshold=4.0, mirror="fraction").col.tolist() == [16, 15]
