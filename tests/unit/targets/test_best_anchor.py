"""Best-anchor assignment against a plain sequential reading of the rules, and its edges one by one."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detloss_cli.inputs.head import Level
from detloss_cli.targets.assignment import Assignment, Targets
from detloss_cli.targets.best_anchor import AnchorMasks, assign_best_anchor, target_rows

YOLO3 = ((10, 13), (16, 30), (33, 23), (30, 61), (62, 45), (59, 119), (116, 90), (156, 198), (373, 326))
TINY = ((10, 14), (23, 27), (37, 58), (81, 82), (135, 169), (344, 319))


def plan(imgsz: tuple[int, int] = (320, 320), anchors=YOLO3, classes: int = 3) -> AnchorMasks:
    masks = ((6, 7, 8), (3, 4, 5), (0, 1, 2)) if len(anchors) == 9 else ((3, 4, 5), (1, 2, 3))
    levels = [Level(f"P{s.bit_length() - 1}", s, imgsz[0] // s, imgsz[1] // s, ((1, 1),) * 3) for s in (32, 16, 8)[: len(masks)]]
    return AnchorMasks(tuple(levels), tuple(anchors), masks, imgsz, classes)


def targets(rows, images: int = 1, lib: str = "torch") -> Targets:
    """From rows of image, x1, y1, x2, y2, class."""
    table = np.asarray(rows, dtype=np.float64).reshape(-1, 6)
    columns = (table[:, 0].astype(np.int64), table[:, 5].astype(np.int64), table[:, 1:5].astype(np.float32))
    if lib == "torch":
        columns = tuple(torch.from_numpy(np.ascontiguousarray(column)) for column in columns)
    return Targets(*columns, images, "xyxy_px")


def sequential(given_: Targets, p: AnchorMasks) -> dict[tuple[int, ...], NDArray[np.float32]]:
    """The rules as one box after another: slot -> row of y_true."""
    height, width = p.imgsz
    found: dict[tuple[int, ...], NDArray[np.float32]] = {}
    for image in range(given_.images):
        mine = [index for index in range(len(given_.boxes)) if given_.image[index] == image]
        best = []
        for index in mine:
            w, h = (np.float32(given_.boxes[index][k + 2]) - np.float32(given_.boxes[index][k]) for k in (0, 1))
            if w > 0:
                ious = []
                for aw, ah in p.anchors:
                    inter = max(min(float(w), aw), 0) * max(min(float(h), ah) if h >= 0 else 0.0, 0)
                    union = float(np.float32(w * h)) + aw * ah - inter
                    ious.append(inter / union if union else math.nan)
                best.append(int(np.argmax(ious)))
        for place, anchor in enumerate(best):
            x1, y1, x2, y2 = (np.float32(v) for v in given_.boxes[mine[place]])
            cls = int(given_.cls[mine[place]])
            cx, cy = np.float32((x1 + x2) // 2 / width), np.float32((y1 + y2) // 2 / height)
            box = (cx, cy, np.float32(float(x2 - x1) / width), np.float32(float(y2 - y1) / height))
            for level, mask in enumerate(p.masks):
                grid = p.levels[level]
                col, row = math.floor(float(cx) * grid.cols), math.floor(float(cy) * grid.rows)
                if anchor not in mask or not -grid.cols <= col < grid.cols or not -grid.rows <= row < grid.rows:
                    continue
                slot = (level, image, row % grid.rows, col % grid.cols, mask.index(anchor))
                values = found.setdefault(slot, np.zeros(5 + p.num_classes, dtype=np.float32))
                values[:4] = box
                values[4] = 1
                values[5 + cls] = 1
    return found


def as_slots(rows: Assignment, values) -> dict[tuple[int, ...], list[float]]:
    slots = zip(*(c.tolist() for c in (rows.level, rows.image, rows.row, rows.col, rows.anchor)), strict=True)
    return {slot: list(v) for slot, v in zip(slots, values.tolist(), strict=True)}


coordinate = st.one_of(st.integers(-40, 330).map(float), st.integers(0, 1300).map(lambda v: v / 4))
row = st.tuples(st.integers(0, 2), coordinate, coordinate, coordinate, coordinate, st.integers(-1, 2))


@settings(max_examples=150, deadline=None)
@given(st.lists(row, max_size=14), st.sampled_from([YOLO3, TINY]), st.sampled_from([(320, 320), (192, 320)]))
def test_rows_equal_the_sequential_reading(rows, anchors, imgsz) -> None:
    p = plan(imgsz, anchors)
    for lib in ("torch", "numpy"):
        given_ = targets(rows, 3, lib)
        found = assign_best_anchor(given_, p)
        wanted = sequential(given_, p)
        values = target_rows(given_, found, p)
        assert as_slots(found, values) == {slot: v.tolist() for slot, v in wanted.items()}


@settings(max_examples=50, deadline=None)
@given(st.lists(row, max_size=14))
def test_numpy_and_torch_give_the_same_rows(rows) -> None:
    ours, theirs = (assign_best_anchor(targets(rows, 3, lib), plan()) for lib in ("numpy", "torch"))
    for name in ("level", "image", "anchor", "row", "col", "gt"):
        assert getattr(ours, name).tolist() == getattr(theirs, name).tolist(), name
    assert ours.extra["claims"].tolist() == theirs.extra["claims"].tolist()
    assert ours.extra["iou"].tolist() == theirs.extra["iou"].tolist()


@settings(max_examples=50, deadline=None)
@given(st.lists(row, max_size=14))
def test_images_do_not_see_each_other(rows) -> None:
    together = targets(rows, 3)
    whole = assign_best_anchor(together, plan())
    for image in range(3):
        mine = torch.nonzero(together.image == image).squeeze(1)
        alone = assign_best_anchor(Targets(torch.zeros_like(mine), together.cls[mine], together.boxes[mine], 1, "xyxy_px"), plan())
        chosen = whole.image == image
        assert mine[alone.gt].tolist() == whole.gt[chosen].tolist()
        for name in ("level", "anchor", "row", "col"):
            assert getattr(alone, name).tolist() == getattr(whole, name)[chosen].tolist()


@pytest.mark.parametrize("lib", ["numpy", "torch"])
def test_no_boxes_give_no_rows(lib: str) -> None:
    given_ = targets([], 2, lib)
    found = assign_best_anchor(given_, plan())
    assert len(found) == 0
    assert target_rows(given_, found, plan()).shape == (0, 8)


@pytest.mark.parametrize(("centre", "col"), [(104, 12), (105, 13), (56, 6), (64, 8), (304, 37)])
def test_a_centre_on_a_border_is_rounded_as_float32_rounds(centre: int, col: int) -> None:
    found = assign_best_anchor(targets([(0, centre - 5, 100, centre + 5, 113, 0)]), plan())
    assert found.col.tolist() == [col]


def test_the_centre_is_floored_to_a_pixel_and_the_size_is_not() -> None:
    given_ = targets([(0, 10.7, 20.2, 40.1, 61.9, 1)])
    values = target_rows(given_, assign_best_anchor(given_, plan()), plan())[0]
    assert (values[:2] * 320).tolist() == pytest.approx([25, 41])
    assert (values[2:4] * 320).tolist() == pytest.approx([29.4, 41.7], rel=1e-6)


def test_a_row_without_width_moves_the_anchors_on() -> None:
    rows = [(0, 10, 10, 60, 70, 0), (0, 0, 0, 0, 0, 0), (0, 100, 100, 300, 300, 1)]
    found = assign_best_anchor(targets(rows), plan())
    assert found.gt.tolist() == [1, 0]  # the zero row took the last box's anchor, P5 comes first
    assert found.level.tolist() == [0, 1]
    trailing = assign_best_anchor(targets([rows[0], rows[2], rows[1]]), plan())
    assert sorted(trailing.gt.tolist()) == [0, 1]


def test_a_later_box_takes_the_slot_and_the_class_bits_stay() -> None:
    given_ = targets([(0, 100, 100, 160, 150, 0), (0, 101, 100, 161, 150, 2)])
    found = assign_best_anchor(given_, plan())
    assert found.gt.tolist() == [1]
    assert found.extra["claims"].tolist() == [2]
    assert target_rows(given_, found, plan())[0, 4:].tolist() == [1, 1, 0, 1]


def test_a_tiny_head_writes_the_shared_anchor_twice_and_the_first_never() -> None:
    p = plan(anchors=TINY)
    found = assign_best_anchor(targets([(0, 100, 100, 181, 182, 0), (0, 40, 40, 50, 54, 0)]), p)
    assert found.level.tolist() == [0, 1]
    assert found.anchor.tolist() == [0, 2]
    assert found.gt.tolist() == [0, 0]


def test_class_minus_one_is_a_positive_without_a_class() -> None:
    given_ = targets([(0, 100, 100, 160, 150, -1)])
    assert target_rows(given_, assign_best_anchor(given_, plan()), plan())[0, 4:].tolist() == [1, 0, 0, 0]


def test_a_negative_centre_wraps_and_the_right_edge_has_no_row() -> None:
    found = assign_best_anchor(targets([(0, -15, 50, -5, 63, 0), (0, 310, 10, 330, 40, 0)]), plan())
    assert found.gt.tolist() == [0]
    assert found.col.tolist() == [38]


def test_boxes_without_height_are_assigned() -> None:
    found = assign_best_anchor(targets([(0, 100, 100, 160, 100, 0), (0, 100, 200, 160, 190, 0)]), plan())
    assert found.gt.tolist() == [0, 1]
    assert found.extra["iou"].tolist() == [0, 0]


def test_a_tie_goes_to_the_first_anchor() -> None:
    p = AnchorMasks(plan().levels, ((20, 10), (10, 20), *YOLO3[2:]), plan().masks, (320, 320), 3)
    assert assign_best_anchor(targets([(0, 100, 100, 110, 110, 0)]), p).anchor.tolist() == [0]
