"""The reason that each box without a row is given."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from detloss_cli.inputs.head import Level
from detloss_cli.targets.assignment import Targets, without_rows
from detloss_cli.targets.best_anchor import AnchorMasks, assign_best_anchor
from detloss_cli.targets.best_anchor_reasons import best_anchor_reasons, infinite_targets, refused_targets

ANCHORS = ((10, 14), (23, 27), (37, 58), (81, 82), (135, 169), (344, 319))
LEVELS = tuple(Level(f"P{s.bit_length() - 1}", s, 320 // s, 320 // s, ((1, 1),) * 3) for s in (32, 16))
PLAN = AnchorMasks(LEVELS, ANCHORS, ((3, 4, 5), (1, 2, 3)), (320, 320), 3)
ORDINARY = (100, 100, 123, 127, 1)


def keys(*rows: tuple[float, ...], lib: str = "torch") -> dict[int, str]:
    table = np.asarray(rows, dtype=np.float32).reshape(-1, 5)
    columns = (np.zeros(len(table), dtype=np.int64), table[:, 4].astype(np.int64), np.ascontiguousarray(table[:, :4]))
    if lib == "torch":
        columns = tuple(torch.from_numpy(column) for column in columns)
    targets = Targets(*columns, 1, "xyxy_px")
    found = assign_best_anchor(targets, PLAN)
    reasons = best_anchor_reasons(targets, found, PLAN)
    assert sorted(reasons) == without_rows(targets, found).tolist()
    return {gt: key for gt, (key, _) in reasons.items()}


@pytest.mark.parametrize("lib", ["numpy", "torch"])
@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ([ORDINARY], {}),
        ([], {}),
        ([(40, 40, 50, 54, 0)], {0: "anchor_in_no_mask"}),
        ([ORDINARY, (90, 90, 90, 120, 0)], {1: "zero_width"}),
        ([(90, 90, 80, 120, 0)], {0: "zero_width"}),
        ([(90, 90, 90, 120, 0), ORDINARY], {1: "anchor_shifted"}),
        ([(90, 90, 90, 120, 0), ORDINARY, (200, 200, 240, 260, 0)], {2: "anchor_shifted"}),
        ([(300, 10, 340, 60, 0)], {0: "outside_grid"}),
        ([(100, 100, 123, 127, 3)], {0: "class_out_of_range"}),
        ([ORDINARY, ORDINARY], {0: "lost_the_cell"}),
    ],
)
def test_every_box_without_a_row_has_its_reason(rows, wanted, lib: str) -> None:
    assert keys(*rows, lib=lib) == wanted


def test_refused_boxes_are_those_that_raise_upstream() -> None:
    boxes = torch.tensor([[300, 10, 340, 60], [10, 10, 33, 37], [100, 100, 123, 127], [-700, 10, -660, 60]], dtype=torch.float32)
    targets = Targets(torch.zeros(4, dtype=torch.int64), torch.tensor([0, 3, 0, 0]), boxes, 1, "xyxy_px")
    found = refused_targets(targets, PLAN)
    assert {gt: key for gt, (key, _) in found.items()} == {0: "outside_grid", 1: "class_out_of_range", 3: "outside_grid"}
    assert "(320, 35)" in found[0][1]


def test_sides_that_are_not_above_zero_are_named() -> None:
    rows = torch.tensor([[90, 90, 90, 120], [100, 100, 123, 100], [200, 200, 223, 190], [10, 10, 33, 37]], dtype=torch.float32)
    targets = Targets(torch.zeros(4, dtype=torch.int64), torch.zeros(4, dtype=torch.int64), rows, 1, "xyxy_px")
    wide = Targets(targets.image[1:], targets.cls[1:], targets.boxes[1:], 1, "xyxy_px")
    plan = AnchorMasks(LEVELS, ANCHORS[1:] + ANCHORS[:1], ((3, 4, 5), (0, 1, 2)), (320, 320), 3)
    found = infinite_targets(wide, assign_best_anchor(wide, plan), plan)
    assert {gt: key for gt, (key, _) in found.items()} == {0: "zero_height", 1: "negative_height"}
    shifted = infinite_targets(targets, assign_best_anchor(targets, plan), plan)
    assert shifted[0][0] == "zero_width"
