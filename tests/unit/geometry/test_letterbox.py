"""Boxes at the network input, against the trainer's own steps written out for one picture."""

from __future__ import annotations

import numpy as np
import pytest

from detloss_cli.geometry.letterbox import resized, to_network

BOX = np.asarray([[0.5, 0.25, 0.5, 0.25]], dtype=np.float32)


def one(width: int, height: int, imgsz: tuple[int, int] = (640, 640), geometry: str = "letterbox") -> np.ndarray:
    sides = (np.asarray([width], dtype=np.int32), np.asarray([height], dtype=np.int32))
    return to_network(BOX, *sides, imgsz, geometry)[0]  # type: ignore[arg-type]


def test_a_square_picture_of_the_input_size_keeps_its_boxes() -> None:
    np.testing.assert_allclose(one(640, 640), BOX[0], atol=1e-7)


def test_a_wide_picture_is_padded_above_and_below() -> None:
    # 1280 x 640 becomes 640 x 320, 160 px of padding above: y = (160 + 0.25 * 320) / 640
    np.testing.assert_allclose(one(1280, 640), [0.5, (160 + 80) / 640, 0.5, 0.125], atol=1e-6)


def test_sides_are_cut_to_whole_pixels_as_the_trainer_does() -> None:
    # 500 x 333 at 640: 333 * 640 / 500 = 426.24, so the picture is 426 px high and the padding 107
    width, height = resized(np.asarray([500]), np.asarray([333]), (640, 640), "floor")
    assert (width[0], height[0]) == (640, 426)
    assert resized(np.asarray([500]), np.asarray([333]), (640, 640), "ceil")[1][0] == 427
    np.testing.assert_allclose(one(500, 333)[1], (107 + 0.25 * 426) / 640, atol=1e-6)


def test_corners_are_clipped_just_inside_the_input() -> None:
    full = np.asarray([[0.5, 0.5, 1.0, 1.0]], dtype=np.float32)
    sides = (np.asarray([640], dtype=np.int32),) * 2
    box = to_network(full, *sides, (640, 640), "letterbox")[0]
    assert box[2] * 640 == pytest.approx(640 - 1e-3, abs=1e-4)


def test_stretch_and_square_differ_where_the_input_is_not_square() -> None:
    boxes = {geometry: one(1280, 640, (320, 640), geometry) for geometry in ("letterbox", "stretch", "square")}
    np.testing.assert_allclose(boxes["stretch"], BOX[0])
    np.testing.assert_allclose(boxes["letterbox"], BOX[0], atol=1e-6)
    np.testing.assert_allclose(boxes["square"], [0.5, 0.25, 0.25, 0.25], atol=1e-6)


def test_no_boxes_stay_no_boxes() -> None:
    empty = np.zeros(0, dtype=np.int32)
    assert to_network(np.zeros((0, 4), dtype=np.float32), empty, empty, (640, 640), "letterbox").shape == (0, 4)
