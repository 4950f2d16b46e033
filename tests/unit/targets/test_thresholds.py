"""Overlaps that lie on a threshold: which side each released matcher puts them on."""

from __future__ import annotations

import numpy as np
import pytest

from detloss_cli.inputs.head import Level
from detloss_cli.targets import iou_threshold
from detloss_cli.targets.assignment import Targets
from detloss_cli.targets.shape_match import assign_by_shape


@pytest.mark.parametrize(("threshold", "rows"), [(0.25, 0), (np.nextafter(np.float32(0.25), np.float32(0)), 1)])
def test_a_shape_on_the_threshold_does_not_match(threshold: float, rows: int) -> None:
    level = Level("P3", 8, 8, 8, ((16.0, 16.0),))  # 2x2 cells over a box of one: 1/4
    targets = Targets(np.zeros(1, np.int64), np.zeros(1, np.int64), np.array([[0.5, 0.5, 1 / 8, 1 / 8]], np.float32), 1)
    assert len(assign_by_shape(targets, [level], threshold=threshold)) == rows


@pytest.mark.parametrize(
    ("width", "positive", "ignored"), [(50.0, True, False), (49.9, False, True), (40.0, False, True), (39.9, False, False)]
)
def test_an_anchor_on_a_threshold_is_the_better_of_two(
    width: float, positive: bool, ignored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """1/2 is positive, 2/5 is ignored; the other anchor is the best of its box, so that nothing is rescued."""
    anchors = np.array([[0.0, 0.0, 100.0, 10.0], [0.0, 0.0, width, 10.0]], np.float32)
    monkeypatch.setattr(iou_threshold, "anchor_boxes", lambda *_: anchors)
    level = Level("P3", 8, 1, 1, ((1.0, 1.0), (1.0, 1.0)))
    targets = Targets(np.zeros(1, np.int64), np.zeros(1, np.int64), np.array([[0.0, 0.0, 100.0, 10.0]], np.float32), 1, "xyxy_px")
    found = iou_threshold.assign_by_iou(targets, [level], (8, 8))
    assert (1 in found.anchor.tolist()) is positive
    assert (1 in found.ignored["anchor"].tolist()) is ignored
