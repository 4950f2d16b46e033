"""Rectangular batches against a plain loop over pictures and batches: shapes, places of boxes, positives, loss."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from rect_loop import FAMILIES, TRAIN, by_hand, figures, request_of, shipped, vars_of, written

from detloss_cli import families
from detloss_cli.diagnose.loss import compute, inspect_targets
from detloss_cli.geometry.rect import batch_shapes


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return written(tmp_path)


@pytest.mark.parametrize("pad", [0.0, 0.5])
def test_the_shape_of_each_batch(pad: float) -> None:
    rng = np.random.default_rng(0)
    sizes = rng.integers(20, 900, (200, 2))
    ratios = np.sort(sizes[:, 1] / sizes[:, 0])
    for size, side, stride in ((1, 640, 32), (7, 640, 32), (16, 1280, 64), (300, 320, 32)):
        found = batch_shapes(ratios, size, side, stride, pad)
        wanted = []
        for start in range(0, 200, size):
            mine = ratios[start : start + size].tolist()
            shape = [max(mine), 1] if max(mine) < 1 else [1, 1 / min(mine)] if min(mine) > 1 else [1, 1]
            wanted.append([math.ceil(share * side / stride + pad) * stride for share in shape])
        assert found.tolist() == wanted
    assert batch_shapes(np.zeros(0), 4, 640, 32, pad).shape == (0, 2)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_loss_is_that_of_each_batch_through_its_own_head(name: str, data: Path) -> None:
    loops, rows, losses, _, _ = by_hand(data, name)
    assert len({(loop.height, loop.width) for loop in loops}) > 2
    facts, _ = compute(request_of(data, name))
    positives, totals = figures(facts)
    assert positives == [sum(int((part.level == index).sum()) for part in rows) for index in range(len(positives))]
    for term in families.load(name).TERMS:
        assert totals[term] == pytest.approx(math.fsum(float(one.item(term)) for one in losses) / len(losses), rel=2e-6)
    assert facts.settings is not None
    shapes = [(shape.imgsz, shape.batches, shape.images) for shape in facts.settings.shapes]
    assert [shape for shape, batches, _ in shapes for _ in range(batches)] == [(loop.height, loop.width) for loop in loops]
    assert sum(images for *_, images in shapes) == len(TRAIN)


@pytest.mark.parametrize("name", FAMILIES)
def test_boxes_stand_in_file_order_with_what_they_got(name: str, data: Path) -> None:
    loops, rows, *_ = by_hand(data, name)
    facts, _ = compute(request_of(data, name))
    square, _ = compute(request_of(data, name, rect=False))
    assert facts.boxes is not None
    assert square.boxes is not None
    assert facts.box_loss is not None
    assert facts.loss is not None
    assert list(facts.boxes.path) == list(square.boxes.path)
    assert facts.boxes.line.tolist() == square.boxes.line.tolist()
    per_picture: dict[int, list[tuple[int, float]]] = {}
    for loop, part in zip(loops, rows, strict=True):
        for box, (image, corners) in enumerate(zip(loop.image.tolist(), loop.boxes, strict=True)):
            per_picture.setdefault(loop.pictures[image], []).append((int((part.gt == box).sum()), corners[2] - corners[0]))
    wanted = [box for picture in sorted(per_picture) for box in per_picture[picture]]
    assert facts.boxes.positives.sum(axis=1).tolist() == [count for count, _ in wanted]
    assert facts.boxes.width.tolist() == pytest.approx([width for _, width in wanted], abs=2e-3)
    told = facts.box_loss.loss.sum() + sum(facts.box_loss.background.values())
    assert told == pytest.approx(facts.loss.totals["total"], rel=1e-6)
    silent = [box for box, (count, _) in enumerate(wanted) if not count]
    assert facts.boxes.reason.some == silent


def test_reasons_and_collisions_are_those_of_the_shape_that_a_box_is_seen_at(data: Path) -> None:
    _, rows, *_ = by_hand(data, "yolov5", **{**vars_of(shipped(data, "yolov5")), "anchor_t": 1.2})
    facts, _ = inspect_targets(request_of(data, "yolov5", "inspect targets", sets=("anchor_t=1.2",)))
    assert facts.boxes is not None
    assert facts.assignment is not None
    silent = facts.boxes.reason.some
    assert len(silent) > 10
    for box in silent:
        assert facts.boxes.text[box].startswith(f"{facts.boxes.width[box]:.1f}x{facts.boxes.height[box]:.1f} px")
    slots = [set(zip(*(getattr(part, name).tolist() for name in ("level", "image", "anchor", "row", "col")), strict=True)) for part in rows]
    assert facts.assignment.collision_rows == sum(map(len, rows)) - sum(map(len, slots))
