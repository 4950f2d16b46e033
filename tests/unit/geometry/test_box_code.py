"""What is encoded is decoded again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from detloss_cli.geometry import box_code

BOXES = np.array([[10.0, 12.0, 50.0, 40.0], [0.5, 3.25, 200.0, 7.5]])
ANCHORS = np.array([[8.0, 8.0, 40.0, 40.0], [4.0, -6.0, 132.0, 26.0]])
POINT, SIZE = np.array([[24.0, 32.0], [96.0, 4.0]]), np.array([[8.0], [16.0]])


def boxes_of(deltas: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """What deltas stand for."""
    side, middle = anchors[:, 2:] - anchors[:, :2], (anchors[:, 2:] + anchors[:, :2]) / 2
    centre, half = middle + deltas[:, :2] * side, np.exp(deltas[:, 2:]) * side / 2
    return np.concatenate((centre - half, centre + half), axis=1)


CODES: dict[str, tuple[Callable, Callable, tuple]] = {
    "from_cell": (box_code.encode_from_cell, box_code.decode_from_cell, (POINT / 8, SIZE)),
    "distances": (box_code.encode_distances, box_code.decode_distances, (POINT, SIZE)),
    "deltas": (box_code.encode_deltas, boxes_of, (ANCHORS,)),
}


@pytest.mark.parametrize("name", CODES)
def test_round_trip(name: str) -> None:
    encode, decode, given = CODES[name]
    np.testing.assert_allclose(decode(encode(BOXES, *given), *given), BOXES, rtol=1e-6)
    tensors = [torch.from_numpy(value) for value in given]
    np.testing.assert_array_equal(encode(torch.from_numpy(BOXES), *tensors).numpy(), encode(BOXES, *given))


def test_known_values() -> None:
    np.testing.assert_allclose(box_code.encode_distances(BOXES[:1], POINT[:1], SIZE[:1]), [[1.75, 2.5, 3.25, 1.0]])
    np.testing.assert_allclose(box_code.encode_deltas(BOXES[:1], ANCHORS[:1]), [[6 / 32, 2 / 32, np.log(40 / 32), np.log(28 / 32)]])
    np.testing.assert_allclose(box_code.decode_from_cell(np.array([[0.5, -0.5, 0.0, 0.0]]), POINT[:1] / 8, SIZE[:1]), [[28, 28, 8, 8]])
