"""Which cells lie inside a box, against a loop over every cell, and the releases' rules for small boxes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from detloss_cli.inputs.head import Level
from detloss_cli.targets.assignment import Targets
from detloss_cli.targets.centre_inside import BoxRules, candidate_cells, corners_px, reach, taken

PLAIN, V840, V84190 = BoxRules(), BoxRules("below_first_stride"), BoxRules("below_second_stride")
SINGLE = np.float32

# Boxes of a data set of particles as they stand in a 640 px input, and the centres inside on P3, P4 and P5: as they are, in 8.4.0, in
# 8.4.190. The first is the one box of 1,037 that 8.4.0 still leaves without; 185 are left without before it.
PARTICLES = [
    ((0.4625, 0.85078096, 0.0125, 0.012500191), (0, 0, 0), (0, 0, 0), (4, 1, 0)),
    ((0.9, 0.86015594, 0.010937023, 0.010937309), (0, 0, 0), (4, 0, 0), (4, 0, 0)),
    ((0.71992195, 0.8234375, 0.010156011, 0.009375), (0, 0, 0), (4, 1, 1), (4, 1, 1)),
    ((0.220312, 0.85039026, 0.015625, 0.01171875), (0, 0, 0), (2, 1, 0), (4, 1, 0)),
    ((0.78281295, 0.23515625, 0.012500048, 0.010937238), (1, 1, 0), (2, 1, 0), (4, 1, 1)),
    ((0.53242195, 0.226172, 0.011718988, 0.014843988), (1, 0, 0), (2, 0, 1), (4, 1, 1)),
    ((0.313672, 0.8667965, 0.017969012, 0.0101566315), (2, 1, 0), (4, 1, 0), (4, 1, 1)),
    ((0.45625, 0.22265601, 0.0109369755, 0.009375), (1, 0, 0), (2, 1, 0), (2, 1, 0)),
]


def levels(side: int = 640, strides: tuple[int, ...] = (8, 16, 32)) -> list[Level]:
    return [Level(f"P{stride.bit_length() - 1}", stride, side // stride, side // stride) for stride in strides]


def targets(boxes: object, dtype: type = SINGLE) -> Targets:
    array = np.asarray(boxes, dtype=dtype).reshape(-1, 4)
    zero = np.zeros(len(array), dtype=np.int64)
    return Targets(zero, zero, array, 1)


def count_by_loop(box_px: tuple[float, float, float, float], grid: list[Level]) -> tuple[int, ...]:
    x1, y1, x2, y2 = box_px
    return tuple(
        sum(
            x1 < (col + 0.5) * level.stride < x2 and y1 < (row + 0.5) * level.stride < y2
            for row in range(level.rows)
            for col in range(level.cols)
        )
        for level in grid
    )


def random_boxes(count: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.concatenate((random.random((count, 2)), random.random((count, 2)) ** 3), axis=1).astype(SINGLE)


def test_counts_equal_a_loop_over_the_cells() -> None:
    given, grid = targets(random_boxes(60, 0)), levels(128)
    corners = corners_px(given, grid, PLAIN)
    wanted = [count_by_loop(tuple(map(float, box)), grid) for box in corners]
    found = reach(given, grid, rules=PLAIN, reg_max=16)
    assert found.cells.tolist() == [list(row) for row in wanted]
    assert 0 < found.no_centre.sum() < 60


@pytest.mark.parametrize(("column", "rules"), [(1, PLAIN), (2, V840), (3, V84190)])
def test_recorded_particles(column: int, rules: BoxRules) -> None:
    found = reach(targets([row[0] for row in PARTICLES]), levels(), rules=rules, reg_max=16)
    assert [tuple(row) for row in found.cells.tolist()] == [row[column] for row in PARTICLES]
    assert found.no_centre.tolist() == [sum(row[column]) == 0 for row in PARTICLES]


@pytest.mark.parametrize("rules", [PLAIN, V840, V84190])
def test_listed_candidates_are_the_counted_ones(rules: BoxRules) -> None:
    given, grid = targets(random_boxes(40, 1)), levels(128)
    corners = corners_px(given, grid, rules)
    for index, (box, row, col) in enumerate(candidate_cells(corners, grid, rules)):
        assert np.bincount(box, minlength=40).tolist() == reach(given, grid, rules=rules, reg_max=16).cells[:, index].tolist()
        assert ((row >= 0) & (row < grid[index].rows) & (col >= 0) & (col < grid[index].cols)).all()


@pytest.mark.parametrize("rules", [PLAIN, V840, V84190])
def test_numpy_and_torch_agree(rules: BoxRules) -> None:
    given = targets(random_boxes(50, 2))
    lifted = Targets(torch.from_numpy(given.image), torch.from_numpy(given.cls), torch.from_numpy(given.boxes), 1)
    one, other = (reach(each, levels(320), rules=rules, reg_max=8) for each in (given, lifted))
    assert one.cells.tolist() == other.cells.tolist()
    assert one.in_reach.tolist() == other.in_reach.tolist()


def test_a_centre_on_the_edge_is_outside() -> None:
    """Corners at 4, 12 px: the centres 4 and 12 lie on them. A hair wider and they are inside."""
    exact, wider = (8 / 64, 8 / 64, 8 / 64, 8 / 64), (8 / 64, 8 / 64, 8.01 / 64, 8.01 / 64)
    found = reach(targets([exact, wider]), levels(64, (8,)), rules=PLAIN, reg_max=16)
    assert found.cells[:, 0].tolist() == [0, 4]


def test_small_boxes_by_release() -> None:
    """A 4 px box between centres, one of 10 px around one centre, one of 20 px: at 8 and 16 px of stride."""
    boxes = [
        (32.0 / 128, 32.0 / 128, 4 / 128, 4 / 128),
        (36.0 / 128, 36.0 / 128, 10 / 128, 10 / 128),
        (36.0 / 128, 36.0 / 128, 20 / 128, 20 / 128),
    ]
    grid = levels(128, (8, 16))
    cells = {rules: reach(targets(boxes), grid, rules=rules, reg_max=16).cells[:, 0].tolist() for rules in (PLAIN, V840, V84190)}
    assert cells[PLAIN] == [0, 1, 9]
    assert cells[V840] == [4, 1, 9]  # 4 px becomes 16, 10 px stays
    assert cells[V84190] == [4, 1, 9]  # 10 px becomes 16 as well: centres 28 and 44 lie on its edge
    shifted = targets([(35.0 / 128, 35.0 / 128, 10 / 128, 10 / 128)])
    assert reach(shifted, grid, rules=V840, reg_max=16).cells[0, 0] == 1
    assert reach(shifted, grid, rules=V84190, reg_max=16).cells[0, 0] == 4


def test_each_side_is_enlarged_by_itself() -> None:
    """A flat box of 60x2 px takes a row of cells once its height is 16."""
    flat = targets([(64 / 128, 32 / 128, 60 / 128, 2 / 128)])
    assert reach(flat, levels(128), rules=PLAIN, reg_max=16).cells[0, 0] == 0
    assert reach(flat, levels(128), rules=V84190, reg_max=16).cells[0, 0] == 16


def test_a_head_of_one_level_enlarges_to_its_own_stride() -> None:
    tiny = targets([(30 / 128, 30 / 128, 2 / 128, 2 / 128)])
    assert reach(tiny, levels(128, (8,)), rules=V84190, reg_max=16).cells[0, 0] == 1


def test_beyond_what_a_distribution_can_express() -> None:
    """At 1280 px, stride 32 and 16 bins a centred side of 960 px is the end: 15 x 32 px to both sides of a centre."""
    grid = levels(1280)
    sides = [928, 959, 961, 1200]
    found = reach(targets([(656 / 1280, 656 / 1280, side / 1280, side / 1280) for side in sides]), grid, rules=PLAIN, reg_max=16)
    assert found.beyond.tolist() == [False, False, True, True]
    assert (found.in_reach <= found.cells).all()
    assert not reach(targets([(0.5, 0.5, 1, 1)]), grid, rules=PLAIN, reg_max=1).beyond.any()


def test_boxes_that_look_like_padding_are_dropped() -> None:
    given = targets([(-0.5, -0.5, 2.0, 2.0), (0.0, 0.0, 0.5, 0.5), (0.1, 0.1, 0.5, 0.5)])
    assert taken(corners_px(given, levels(64), PLAIN)).tolist() == [False, False, True]
    found = reach(given, levels(64), rules=V84190, reg_max=16)
    assert found.cells.sum(axis=1).astype(bool).tolist() == [False, False, True]


def test_corners_in_float32() -> None:
    given = targets([(0.123456789, 0.5, 0.3, 0.3)], np.float64)
    plain, rounded = (corners_px(given, levels(640), BoxRules(float32_corners=single)) for single in (False, True))
    assert rounded.dtype == np.float64
    assert rounded.tolist() == plain.astype(np.float32).astype(np.float64).tolist() != plain.tolist()


def test_no_boxes() -> None:
    found = reach(targets([]), levels(), rules=V84190, reg_max=16)
    assert found.cells.shape == found.in_reach.shape == (0, 3)
    assert found.beyond.shape == (0,)
