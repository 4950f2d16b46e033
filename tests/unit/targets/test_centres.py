"""Where CenterNet puts a box, and which boxes it leaves out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from detloss_cli.inputs.head import Level
from detloss_cli.targets.annotations import index_in_image
from detloss_cli.targets.assignment import Targets
from detloss_cli.targets.centres import BEYOND_MAX_OBJS, DRAWN, UNKNOWN_CLASS, ZERO_SIZE, assign_centres, clipped_boxes, fates

LEVEL = Level("stack0", 4, 80, 80)


def targets_of(rows: list[tuple[float, ...]], images: int = 1) -> Targets:
    """Rows of image, x1, y1, x2, y2, class."""
    table = np.asarray(rows, dtype=np.float32).reshape(-1, 6)
    return Targets(table[:, 0].astype(np.int64), table[:, 5].astype(np.int64), table[:, 1:5], images, "xyxy_px")


def rows_of(targets: Targets, levels: tuple[Level, ...] = (LEVEL,), most: int = 128):  # type: ignore[no-untyped-def]
    return assign_centres(targets, levels, 3, form="xingyizhou", min_overlap=0.7, max_objs=most)


@pytest.mark.parametrize(
    ("box", "cell"),
    [
        ((280, 280, 320, 320), (74, 74)),  # clipped to 79, not to 80: centre 74.5
        ((300, 0, 400, 50), (77, 6)),
        ((-30, -30, 20, 20), (2, 2)),
        ((0, 0, 320, 320), (39, 39)),
        ((10, 10, 14, 14), (3, 3)),  # centre on a cell border belongs to the cell it opens
        ((float("-inf"), 0, float("inf"), 8), (39, 1)),
    ],
)
def test_cell_of_the_clipped_centre(box: tuple[float, ...], cell: tuple[int, int]) -> None:
    rows = rows_of(targets_of([(0, *box, 0)]))
    assert (int(rows.col[0]), int(rows.row[0])) == cell


@pytest.mark.parametrize(
    "box", [(100, 200, 100, 240), (316, 316, 320, 320), (317, 100, 330, 130), (50, 50, 40, 60), (float("nan"), 0, 9, 9)]
)
def test_no_size_after_clipping(box: tuple[float, ...]) -> None:
    targets = targets_of([(0, *box, 0)])
    assert fates(targets, LEVEL, 3, 128).tolist() == [ZERO_SIZE]
    assert len(rows_of(targets)) == 0


def test_fates_count_annotations_by_image_and_skipped_ones_too() -> None:
    good, flat, strange = (8, 8, 40, 40), (8, 8, 8, 40), (8, 8, 40, 40, 3)
    targets = targets_of([(1, *good, 0), (0, *flat, 0), (0, *good, 1), (1, *strange), (0, *good, 2), (1, *good, 2)], images=2)
    assert fates(targets, LEVEL, 3, 2).tolist() == [DRAWN, ZERO_SIZE, DRAWN, UNKNOWN_CLASS, BEYOND_MAX_OBJS, BEYOND_MAX_OBJS]
    assert rows_of(targets, most=2).gt.tolist() == [2, 0]  # image by image


def test_a_stack_repeats_the_rows_and_twins_keep_a_row_each() -> None:
    targets = targets_of([(0, 100, 100, 140, 140, 0), (0, 100, 100, 140, 140, 0)])
    rows = rows_of(targets, (LEVEL, LEVEL))
    assert rows.level.tolist() == [0, 0, 1, 1]
    assert rows.gt.tolist() == [0, 1, 0, 1]
    assert set(rows.col.tolist()) == set(rows.row.tolist()) == {30}
    assert rows.extra["radius"].tolist() == [2, 2, 2, 2]


BOXES = st.lists(
    st.tuples(st.integers(0, 2), *(st.floats(-60, 400, width=32) for _ in range(4)), st.integers(-1, 3)).map(
        lambda t: (t[0], min(t[1], t[3]), min(t[2], t[4]), max(t[1], t[3]), max(t[2], t[4]), t[5])
    ),
    max_size=12,
)


@settings(deadline=None)
@given(BOXES)
def test_numpy_and_torch_assign_alike_and_inside_the_map(boxes: list[tuple[float, ...]]) -> None:
    targets = targets_of(boxes, images=3)
    there = Targets(*(torch.from_numpy(column.copy()) for column in (targets.image, targets.cls, targets.boxes)), 3, "xyxy_px")
    one, other = rows_of(targets), rows_of(there)
    for name in ("level", "image", "anchor", "row", "col", "gt"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name).numpy())
    np.testing.assert_array_equal(one.extra["radius"], other.extra["radius"].numpy())
    assert ((one.row >= 0) & (one.row < 80) & (one.col >= 0) & (one.col < 80)).all()
    assert sorted(one.gt.tolist()) == np.nonzero(fates(targets, LEVEL, 3, 128) == DRAWN)[0].tolist()
    clipped = clipped_boxes(targets.boxes, LEVEL)
    assert clipped.dtype == np.float32
    assert ((clipped >= 0) & (clipped <= 79)).all()


def test_index_in_image_of_unsorted_images() -> None:
    assert index_in_image(np.asarray([2, 0, 2, 2, 0])).tolist() == [0, 0, 1, 2, 1]
    assert index_in_image(torch.zeros(0, dtype=torch.int64)).tolist() == []
