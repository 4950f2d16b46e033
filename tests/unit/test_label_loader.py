"""Which loader reads the labels: by family, by release, strict where nobody speaks of a family."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from detloss_cli import families
from detloss_cli.resolve import FAMILY_LOADERS, TRAINERS, Request, label_loader, loader_of, setup


@pytest.mark.parametrize("name", families.MODULES)
def test_the_table_says_what_each_family_says(name: str) -> None:
    assert FAMILY_LOADERS.get(name, "strict") == families.load(name).LOADER


@pytest.mark.parametrize(
    ("family", "profile", "loader"),
    [
        ("yolov5", None, "yolov5-7.0"),
        ("yolov5", "7.0", "yolov5-7.0"),
        ("yolov5", "6.1", "yolov5-6.1"),
        ("yolov5", "5.0", "yolov5-4.0"),
        ("yolov5", "3.1", "yolov3-spp"),
        ("yolov8", "8.3.200", "ultralytics-8.4"),
        ("detr", None, "strict"),
    ],
)
def test_a_release_brings_its_own_loader(family: str, profile: str | None, loader: str) -> None:
    assert loader_of(family, profile) == loader


@pytest.mark.parametrize(
    ("given", "loader", "family"),
    [
        ({}, "strict", ""),
        ({"loader": "yolov7"}, "yolov7", ""),
        ({"loader": "all"}, "strict", ""),
        ({"family": "yolov7"}, "yolov7", "yolov7"),
        ({"family": "yolov5", "profile": "4.0"}, "yolov5-4.0", "yolov5"),
        ({"trainer": "yolov5-6.1"}, "yolov5-6.1", "yolov5"),
        ({"model": "yolov5s"}, "yolov5-7.0", "yolov5"),
        ({"trainer": "yolov7", "loader": "strict"}, "strict", ""),
    ],
)
def test_labels_alone_are_read_strictly_until_a_family_is_named(given: dict[str, Any], loader: str, family: str) -> None:
    chosen, of, why = label_loader(Request("inspect labels", **given))
    assert (chosen, of) == (loader, family)
    assert (why == "no family is named") == (not given or given == {"loader": "all"})


def test_keys_of_a_hyp_file_speak_of_a_family(tmp_path: Path) -> None:
    hyp = tmp_path / "hyp.yaml"
    hyp.write_text("box: 7.5\ncls: 0.5\ndfl: 1.5\n")
    assert label_loader(Request("inspect labels", hyp=str(hyp))) == ("ultralytics-8.4", "yolov8", "hyp key dfl")


def test_labels_and_losses_are_read_by_the_same_loader() -> None:
    for trainer in TRAINERS:
        assert setup(Request(trainer=trainer)).loader == label_loader(Request(trainer=trainer))[0]
