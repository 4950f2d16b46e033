"""The anchor numbers of a whole set of COCO's shape, as an independent implementation of yolov5 7.0 counted them once, to the last row."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from detloss_cli.diagnose.anchors import inspect_anchors
from detloss_cli.diagnose.loss import inspect_targets
from detloss_cli.resolve import Request

SOURCE = Path(__file__).parents[3] / "benchmarks" / "coco_shape.py"
POSITIVES = [4_246_352, 4_521_733, 3_029_583]
MATCHES = [384973, 497494, 532987, 519043, 531356, 456870, 457334, 361388, 191162]
UNMATCHED, SLOTS, WITHOUT_SLOT = 318, 11_643_191, 257


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("coco_shape", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_every_figure_of_the_whole_set(tmp_path: Path) -> None:
    made = generator()
    written = made.write(tmp_path, made.COCO_IMAGES, 0, "none", 0, "fixed")
    assert written["boxes"] == 860_001
    request = Request("inspect targets", (str(tmp_path / "data.yaml"),), family="yolov5", geometry="square", imgsz=(640, 640))
    for inspect in (inspect_targets, inspect_anchors):
        facts, _ = inspect(request)
        levels, assignment = facts.levels, facts.assignment
        assert levels is not None
        assert assignment is not None
        assert [level.positives for level in levels] == POSITIVES
        assert [number for level in levels for number in level.matches_per_anchor] == MATCHES
        assert assignment.unassigned == UNMATCHED
        assert assignment.best_possible_recall == pytest.approx(0.99963, abs=5e-6)
        assert assignment.anchors_per_target == pytest.approx(4.573, abs=5e-4)
        if assignment.collisions_counted:
            assert assignment.positives - assignment.collision_rows == SLOTS
            assert assignment.boxes_without_slot == WITHOUT_SLOT
