"""RetinaNet beyond the recorded cases: both array libraries, rescue, ignored anchors, heads that are never built, marks."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pytest
import torch

from detloss_cli.families import retinanet
from detloss_cli.families.interface import BatchTargets
from detloss_cli.geometry.anchor_boxes import anchor_boxes, every_slot
from detloss_cli.inputs.head import Head, Level
from detloss_cli.inputs.heads import BUILT_IN
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.predictions.synthetic import ConstantHead
from detloss_cli.targets.assignment import Assignment, Targets, on_host

HEAD = Head("two", (Level("P3", 8, 8, 8, ((32, 32), (46, 22))), Level("P4", 16, 4, 4, ((64, 64), (90, 46)))), 3, (64, 64))
HYP = retinanet.Hyp()
COLUMNS = ("level", "image", "anchor", "row", "col")


def targets(*rows: tuple[float, ...], images: int = 1) -> Targets:
    table = torch.tensor(rows, dtype=torch.float32).reshape(-1, 6)
    return Targets(table[:, 0].long(), table[:, 1].long(), table[:, 2:], images, "xyxy_px")


MANY = targets((0, 0, 10, 10, 42, 40), (2, 1, 3, 3, 50, 25), (0, 2, 12, 12, 60, 61), (2, 2, 0, 0, 64, 63), images=4)


def assign(given: Targets) -> Assignment:
    return retinanet.assign(HEAD, HYP, given, profile="0.29.1")


def loss(given: Targets, predictions: object, rows: Assignment) -> retinanet.LossBreakdown:
    return retinanet.loss(HEAD, HYP, given, predictions, rows, profile="0.29.1")


def prior(images: int) -> ConstantHead:
    return ConstantHead(retinanet.prior(HEAD, HYP, "0.29.1"), HEAD.levels, images)


def test_numpy_gives_the_same_rows() -> None:
    rows, plain = assign(MANY), assign(on_host(MANY))
    assert len(rows.ignored["row"]) > 3
    for name in (*COLUMNS, "gt"):
        column = getattr(plain, name)
        assert isinstance(column, np.ndarray)
        assert column.tolist() == getattr(rows, name).tolist()
    for name in COLUMNS:
        assert plain.ignored[name].tolist() == rows.ignored[name].tolist()


def test_thresholds_by_hand() -> None:
    """32 px anchors at (16, 0) and (16, 16) have an IoU of exactly .5 with 32 x 16; one has more with 32 x 18."""
    one = Head("one", (Level("P3", 16, 2, 2, ((32, 32),)),), 1, (32, 32))
    rows = retinanet.assign(one, HYP, targets((0, 0, 0, 0, 32, 16)), profile="0.29.1")
    assert (rows.row.tolist(), rows.col.tolist(), rows.extra["iou"].tolist()) == ([0, 1], [1, 1], [0.5, 0.5])
    strict = retinanet.Hyp(fg_iou=0.51, bg_iou=0.4)
    rows = retinanet.assign(one, strict, targets((0, 0, 0, 0, 32, 18)), profile="0.29.1")
    assert (rows.row.tolist(), rows.col.tolist()) == ([1], [1])
    assert (rows.ignored["row"].tolist(), rows.ignored["col"].tolist()) == ([0], [1])


def test_a_weak_box_keeps_its_best_anchors() -> None:
    small = targets((0, 1, 22, 22, 26, 26))
    rows = assign(small)
    assert len(rows) > 0
    assert float(rows.extra["iou"].max()) == float(rows.of_targets["best_iou"][0]) < 0.1


def test_a_box_that_touches_nothing_rescues_all_that_it_does_not_touch() -> None:
    outside = targets((0, 1, -500, -500, -480, -480))
    assert len(assign(outside)) == sum(level.slots for level in HEAD.levels)


def test_a_rescued_anchor_goes_to_the_box_it_overlaps_most() -> None:
    given = targets((0, 0, 8, 8, 40, 40), (0, 1, 20, 20, 28, 28))
    rows = assign(given)
    assert set(rows.gt.tolist()) == {0}
    found = retinanet.reasons(HEAD, HYP, given, rows, profile="0.29.1")
    assert found[1].key == "lost_to_another_box"
    assert "0.063, below fg_iou 0.5" in found[1].text
    assert "box 0" in found[1].text


def test_ignored_anchors_train_nothing() -> None:
    rows = assign(MANY)
    raw = [torch.zeros(4, 2, level.rows, level.cols, 7, dtype=torch.float64, requires_grad=True) for level in HEAD.levels]
    loss(MANY, DensePredictions(raw), rows).total.backward()
    for index, tensor in enumerate(raw):
        chosen = rows.ignored["level"] == index
        slot = tuple(rows.ignored[name][chosen] for name in ("image", "anchor", "row", "col"))
        assert float(tensor.grad[slot].abs().max()) < 1e-15
        silent = (tensor.grad[..., 4:].abs().sum(-1) < 1e-15).sum()
        assert int(silent) == int(chosen.sum())


def test_without_boxes() -> None:
    none = targets(images=2)
    rows = assign(none)
    wanted = sum(level.slots for level in HEAD.levels) * 3 * 0.75 * 0.01**2 * math.log(100 / 99)
    assert len(rows) == 0
    assert float(loss(none, prior(2), rows).total) == pytest.approx(wanted, rel=1e-9)


def test_one_image_or_many_and_any_order() -> None:
    whole = assign(MANY)
    alone = assign(targets((0, 1, 3, 3, 50, 25), (0, 2, 0, 0, 64, 63)))
    chosen = whole.image == 2
    assert torch.tensor([1, 3])[alone.gt].tolist() == whole.gt[chosen].tolist()
    back = assign(Targets(MANY.image.flip(0), MANY.cls.flip(0), MANY.boxes.flip(0), 4, "xyxy_px"))
    assert (3 - back.gt).tolist() == whole.gt.tolist()
    for name in COLUMNS:
        assert getattr(back, name).tolist() == getattr(whole, name).tolist()


def test_a_built_head_gives_the_same() -> None:
    rows, lazy = assign(MANY), prior(4)
    built = DensePredictions([lazy.dense(i).clone() for i in range(2)])
    for name in retinanet.TERMS:
        torch.testing.assert_close(loss(MANY, lazy, rows).item(name), loss(MANY, built, rows).item(name), rtol=1e-9, atol=0)


def test_marks_stand_in_order() -> None:
    rows = assign(MANY)
    rate = ConstantHead(retinanet.base_rate(HEAD, HYP, "0.29.1", [BatchTargets(MANY, rows)]), HEAD.levels, 4)
    marks = [loss(MANY, head, rows) for head in (prior(4), rate, retinanet.perfect(HEAD, HYP, "0.29.1", MANY, rows))]
    fresh, frequent, perfect = (float(mark.item("cls")) for mark in marks)
    assert perfect < frequent < fresh
    assert float(marks[2].item("box")) == pytest.approx(0, abs=1e-9)
    assert float(marks[1].item("box")) == float(marks[0].item("box"))


def test_base_rate_is_a_minimum() -> None:
    rows = assign(MANY)
    bias = [level.requires_grad_() for level in retinanet.base_rate(HEAD, HYP, "0.29.1", [BatchTargets(MANY, rows)])]
    loss(MANY, ConstantHead(bias, HEAD.levels, 4), rows).item("cls").backward()
    for level in bias:
        inner = level.detach()[:, 4:].abs() < 29
        assert bool(inner.any())
        assert float((level.grad[:, 4:] * inner).sum(0).abs().max()) < 1e-6


def test_the_built_in_head_has_the_anchors_of_torchvision() -> None:
    """All 12,276 anchors of a 256 x 256 input, by the hash that the recorded cases carry."""
    head, like = BUILT_IN["retinanet"].at((256, 256), 20), torch.zeros(0)
    found = torch.cat([anchor_boxes(level, head.imgsz, *every_slot(level, like), like) for level in head.levels])
    digest = hashlib.sha256(found.numpy().tobytes()).hexdigest()
    assert digest == "eacbac8b0c2a25a1ca6f26749f736f897c2af00492e5b9aba7812f92df9afda0"
