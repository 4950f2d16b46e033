"""Columns on their way to another process or into the cache: smaller, and the same when they arrive."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from detloss_cli.inputs.columns import Columns, empty, packed_cls, packed_line, whole_line


def columns(image: list[int], line: list[int], cls: list[int]) -> Columns:
    boxes = np.arange(4 * len(image), dtype=np.float32).reshape(-1, 4)
    return Columns(np.array(image, np.int64), np.array(line, np.int32), np.array(cls, np.int64), boxes)


CASES = {
    "clean": columns([0, 0, 2, 5, 5, 5], [1, 2, 1, 1, 2, 3], [0, 79, 3, 3, 3, 255]),
    "a line is passed over": columns([0, 0, 2], [1, 3, 1], [0, 1, 2]),
    "a large id": columns([0, 1], [1, 1], [256, 0]),
    "an image comes back": columns([3, 0, 3], [1, 1, 2], [1, 1, 1]),
    "none": empty(),
}


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_arrives_as_it_left(case: Columns) -> None:
    arrived = pickle.loads(pickle.dumps(case))
    for name in ("image", "line", "cls", "boxes"):
        before, after = getattr(case, name), getattr(arrived, name)
        assert before.dtype == after.dtype
        assert np.array_equal(before, after)


def test_clean_boxes_are_half_as_large() -> None:
    """Sixteen bytes of coordinates and one of class a box."""
    many = columns(np.repeat(np.arange(1000), 10).tolist(), list(range(1, 11)) * 1000, [7] * 10000)
    assert len(pickle.dumps(many)) < 17 * 10000 + 16 * 1000 + 1000


def test_lines_are_kept_where_they_cannot_be_counted() -> None:
    sizes = np.array([2, 0, 1])
    for line in ([1, 2, 1], [1, 3, 1], [2, 1, 1]):
        before = np.array(line, np.int32)
        packed = packed_line(before, sizes)
        assert len(packed) == (0 if line == [1, 2, 1] else 3)
        assert np.array_equal(whole_line(packed, sizes), before)
    assert packed_cls(np.array([-1, 3])).dtype == np.int64
