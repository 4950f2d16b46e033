"""Rules that are judged by columns: each against a plain loop, and against crowds that would choke a loop over pairs."""

from __future__ import annotations

import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from detloss_cli.checks.box_pairs import ALIKE, close_pairs
from detloss_cli.checks.boxes import box_faults
from detloss_cli.inputs.labels import Images, Labels


def labels(rows: list[tuple[int, int, float, float, float, float]], size: tuple[int, int] = (0, 0)) -> Labels:
    count = 1 + max((row[0] for row in rows), default=0)
    images = Images(
        tuple(f"{n}.png" for n in range(count)),
        tuple(f"{n}.txt" for n in range(count)),
        ("train",) * count,
        np.full(count, size[0], np.int32),
        np.full(count, size[1], np.int32),
    )
    table = np.array(rows, dtype=np.float64).reshape(-1, 6)
    line = np.arange(1, len(rows) + 1, dtype=np.int32)
    return Labels(table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2:].astype(np.float32), line, images, ("a", "b"))


def kinds(
    *rows: tuple[int, int, float, float, float, float], imgsz: int = 640, size: tuple[int, int] = (0, 0)
) -> list[tuple[str, int | None]]:
    return sorted((fault.kind, fault.line) for fault in box_faults(labels(list(rows), size), imgsz))


def test_edges() -> None:
    assert kinds((0, 0, 0.95, 0.5, 0.1 + 2e-3, 0.2)) == []
    assert kinds((0, 0, 0.95, 0.5, 0.1 + 4e-3, 0.2)) == [("box-past-edge", 1)]
    assert kinds((0, 0, 0.5, 0.0, 0.1, 0.1)) == [("box-past-edge", 1)]
    assert kinds((0, 0, 0.5, 0.5, 1, 1)) == [("box-covers-image", 1)]


def test_smaller_than_a_pixel_depends_on_the_input_and_the_picture() -> None:
    row = (0, 0, 0.5, 0.5, 0.01, 0.002)
    assert kinds(row) == []
    assert kinds(row, imgsz=320) == [("subpixel-box", 1)]
    # 1000 x 500 becomes 640 x 320: 0.002 of its height is 0.64 px
    assert kinds(row, size=(1000, 500)) == [("subpixel-box", 1)]


def test_slivers() -> None:
    assert kinds((0, 0, 0.5, 0.5, 0.99, 0.0098)) == [("extreme-aspect", 1)]
    assert kinds((0, 0, 0.5, 0.5, 0.97, 0.0098)) == []


def test_repeats_and_near_repeats() -> None:
    box = (0.5, 0.5, 0.2, 0.2)
    assert kinds((0, 0, *box), (0, 0, *box)) == [("duplicate-box", 2)]
    assert kinds((0, 0, *box), (1, 0, *box)) == []
    assert kinds((0, 0, *box), (0, 1, *box)) == [("box-two-classes", 2)]
    assert kinds((0, 0, *box), (0, 0, 0.501, 0.5, 0.2, 0.2)) == [("near-duplicate-box", 2)]
    assert kinds((0, 0, 0.501, 0.5, 0.2, 0.2), (0, 1, *box)) == [("box-two-classes", 2)]
    assert kinds((0, 0, *box), (0, 0, 0.52, 0.5, 0.2, 0.2)) == []


def test_no_boxes() -> None:
    assert kinds() == []
    assert list(close_pairs(labels([]))) == []


def overlap(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    low, high = np.maximum(a[:2] - a[2:] / 2, b[:2] - b[2:] / 2), np.minimum(a[:2] + a[2:] / 2, b[:2] + b[2:] / 2)
    inter = float(np.clip(high - low, 0, None).prod())
    return inter / float(a[2:].prod() + b[2:].prod() - inter)


JITTER = st.sampled_from([0.0, 0.001, 0.004, 0.02])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.sampled_from([0.3, 0.6]), JITTER, JITTER), max_size=7))
def test_pairs_equal_a_loop_over_pairs(raw: list[tuple[int, int, float, float, float]]) -> None:
    rows = sorted((image, cls, at + dx, 0.5, 0.2 + dw, 0.2) for image, cls, at, dx, dw in raw)
    table = labels(rows)
    boxes = table.boxes.astype(np.float64)
    wanted = {
        later
        for later in range(len(rows))
        for earlier in range(later)
        if table.image[earlier] == table.image[later]
        and overlap(boxes[earlier], boxes[later]) >= ALIKE
        and not (table.cls[earlier] == table.cls[later] and (table.boxes[earlier] == table.boxes[later]).all())
    }
    assert {later for _, later in close_pairs(table)} == wanted


def test_a_crowd_on_one_spot_is_no_quadratic_work() -> None:
    spread = np.random.default_rng(0).normal(0, 1e-3, 20_000)
    rows = [(0, 0, 0.5 + dx, 0.5, 0.2, 0.2) for dx in spread.clip(-0.01, 0.01)]
    start = time.perf_counter()
    assert sum(1 for _ in box_faults(labels(rows), 640)) >= 19_000
    assert time.perf_counter() - start < 5
