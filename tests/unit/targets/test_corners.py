"""Where CornerNet puts the corners of a box, with its loader's clip and without."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from detloss_cli.inputs.head import Level
from detloss_cli.targets.assignment import Targets
from detloss_cli.targets.corners import (
    BEYOND_TAGS,
    DRAWN,
    OFF_MAP,
    UNKNOWN_CLASS,
    ZERO_SIZE,
    Rules,
    assign_corners,
    corner_fates,
    corner_points,
)

LEVELS = tuple(Level(name, 4, 64, 64) for name in ("tl", "br"))


def targets_of(boxes: list[tuple[float, ...]], cls: int = 0) -> Targets:
    table = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    return Targets(torch.zeros(len(table), dtype=torch.int64), torch.full((len(table),), cls), table, 1, "xyxy_px")


def rules_of(*, clip: bool, most: int = 128) -> Rules:
    return Rules((256, 256), 3, 0.3, most, clip)


@pytest.mark.parametrize(
    ("box", "clip", "fate"),
    [
        ((40, 40, 120, 120), True, DRAWN),
        ((200, 200, 256, 256), True, DRAWN),  # the right edge is clipped to 255 px
        ((200, 200, 256, 256), False, OFF_MAP),  # cell 64 of 64
        ((200, 40, 256, 120), False, DRAWN),  # stands for the first cell of the next row
        ((-40, 40, 20, 120), True, DRAWN),
        ((-400, 40, 20, 120), False, OFF_MAP),
        ((40, 40, 40, 120), True, ZERO_SIZE),
        ((40, 40, 40, 120), False, DRAWN),  # the target code itself draws a box without width
        ((300, 40, 400, 120), True, ZERO_SIZE),
        ((float("nan"), 40, 100, 120), False, OFF_MAP),
        ((float("nan"), 40, 100, 120), True, ZERO_SIZE),
    ],
)
def test_fates(box: tuple[float, ...], clip: bool, fate: int) -> None:
    assert corner_fates(targets_of([box]), LEVELS[0], rules_of(clip=clip)).tolist() == [fate]


def test_unknown_classes_and_tags_without_room() -> None:
    box, flat = (40, 40, 120, 120), (40, 40, 40, 120)
    assert corner_fates(targets_of([box], cls=3), LEVELS[0], rules_of(clip=True)).tolist() == [UNKNOWN_CLASS]
    fates = corner_fates(targets_of([flat, box, box, box]), LEVELS[0], rules_of(clip=True, most=2)).tolist()
    assert fates == [ZERO_SIZE, DRAWN, DRAWN, BEYOND_TAGS]  # a dropped box takes no room


def test_both_maps_hold_the_same_boxes_in_the_same_order() -> None:
    rows = assign_corners(targets_of([(40, 42, 121, 120), (0, 0, 255, 255)]), LEVELS, rules_of(clip=True))
    assert rows.level.tolist() == [0, 0, 1, 1]
    assert rows.gt.tolist() == [0, 1, 0, 1]
    assert list(zip(rows.col.tolist(), rows.row.tolist(), strict=True)) == [(10, 10), (0, 0), (30, 30), (63, 63)]


def test_a_corner_beyond_the_right_edge_wraps_into_the_next_row() -> None:
    rows = assign_corners(targets_of([(200, 40, 256, 120)]), LEVELS, rules_of(clip=False))
    assert (int(rows.row[1]), int(rows.col[1])) == (31, 0)


def test_cells_follow_the_ratio_of_map_to_input() -> None:
    level, rules = Level("tl", 4, 128, 128), Rules((511, 511), 1, 0.3, 128, True)
    x, _, offset = corner_points(np.asarray([[4, 0, 500, 500]], dtype=np.float32), level, rules, 0)
    assert int(x[0]) == 1  # 4 · 128/511 = 1.00196, not 4/4
    assert float(offset[0, 0]) == pytest.approx(4 * 128 / 511 - 1, rel=1e-4)


def test_no_boxes() -> None:
    assert len(assign_corners(targets_of([]), LEVELS, rules_of(clip=True))) == 0
