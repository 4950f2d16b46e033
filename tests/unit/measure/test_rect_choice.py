"""Where rectangular batches do not go with what else is asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rect_loop import request_of, written

from detloss_cli.diagnose.loss import inspect_targets
from detloss_cli.errors import DetlossError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return written(tmp_path)


@pytest.mark.parametrize(
    ("more", "where"),
    [({"geometry": "stretch"}, "--geometry stretch"), ({"preds": "a.npz"}, "--preds"), ({"imgsz": (320, 640)}, "--imgsz 320x640")],
)
def test_what_contradicts_rectangular_batches_is_refused_where_typed(more: dict[str, Any], where: str, data: Path) -> None:
    with pytest.raises(DetlossError, match="--rect") as refused:
        inspect_targets(request_of(data, "yolov5", "inspect targets", **more))
    assert refused.value.where == where


def test_a_run_gives_way_to_an_option_and_that_is_said(data: Path) -> None:
    request = request_of(data, "yolov5", "inspect targets", geometry="stretch", origins={"rect": "opt.yaml"})
    facts, found = inspect_targets(request)
    assert facts.settings is not None
    assert facts.settings.shapes == ()
    assert [(one.code, "--geometry stretch does not go with it" in one.message) for one in found if one.code == "DET701"] == [
        ("DET701", True)
    ]


def test_without_picture_sizes_the_full_input_is_taken_and_that_is_said(data: Path) -> None:
    (data / "sizes.json").write_text("{}")
    for picture in (data / "images").rglob("*.jpg"):
        picture.unlink()
    request = replace(request_of(data, "yolov5", "inspect targets"), data=(str(data / "labels" / "train"),))
    facts, found = inspect_targets(request)
    assert facts.settings is not None
    assert facts.settings.shapes == ()
    assert ["no picture has a known size" in one.message for one in found if one.code == "DET701"] == [True]


def test_a_family_without_them_says_so(data: Path) -> None:
    facts, found = inspect_targets(request_of(data, "retinanet", "inspect targets", anchors=None))
    assert facts.settings is not None
    assert facts.settings.shapes == ()
    assert [one.code for one in found if one.rule == "switch-not-modelled"] == ["DET701"]
