"""COCO JSON and keras-yolo3 lines: boxes in pixels, one file for all pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from detloss_cli.checks.labels import label_findings
from detloss_cli.inputs.coco import read_coco
from detloss_cli.inputs.data_yaml import read_data
from detloss_cli.inputs.dataset import DataSet, read_dataset
from detloss_cli.inputs.limits import DEFAULT


def read(path: Path, names: str | None = None) -> DataSet:
    spec, _ = read_data(str(path), names=names)
    found = read_dataset(spec, tuple(spec.splits), "strict", num_classes=None, sizes=False)
    counts = found.counts
    assert counts.images == counts.labelled + counts.background + counts.skipped
    assert counts.kept + counts.lost_rows == counts.rows
    assert sum(counts.lost_by_rule.values()) == counts.lost_rows
    assert counts.kept == len(found.labels)
    return found


def rules(found: DataSet) -> dict[str, int]:
    got: dict[str, int] = {}
    for finding in label_findings(found):
        got[finding.rule] = got.get(finding.rule, 0) + 1
    return got


COCO: dict[str, Any] = {
    "images": [
        {"id": 7, "file_name": "b.jpg", "width": 200, "height": 100},
        {"id": 3, "file_name": "a.jpg", "width": 100, "height": 100},
        {"id": 4, "file_name": "c.jpg", "width": 50, "height": 50},
    ],
    "categories": [{"id": 18, "name": "dog"}, {"id": 1, "name": "person"}],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 18, "bbox": [20, 10, 40, 20]},
        {"id": 2, "image_id": 3, "category_id": 1, "bbox": [0, 0, 100, 50.0], "iscrowd": 0},
    ],
}


@pytest.fixture
def coco(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    return tmp_path / "instances.json", json.loads(json.dumps(COCO))


def test_coco(coco: tuple[Path, dict[str, Any]]) -> None:
    path, content = coco
    path.write_text(json.dumps(content))
    found = read(path)
    assert [Path(picture).name for picture in found.labels.images.path] == ["a.jpg", "b.jpg", "c.jpg"]
    assert found.labels.names == ("person", "dog")
    assert found.labels.image.tolist() == [0, 1]
    assert found.labels.cls.tolist() == [0, 1]
    assert found.labels.boxes.tolist() == np.array([[0.5, 0.25, 1, 0.5], [0.2, 0.2, 0.2, 0.2]], dtype=np.float32).tolist()
    assert found.labels.images.sizes_known
    assert (found.counts.images, found.counts.background) == (3, 1)
    assert rules(found) == {"category-renumbered": 1}


def annotation(**change: Any) -> dict[str, Any]:
    return {"id": 9, "image_id": 7, "category_id": 1, "bbox": [20, 10, 40, 20]} | change


@pytest.mark.parametrize(
    ("entry", "rule"),
    [
        (annotation(iscrowd=1), "annotation-crowd"),
        (annotation(image_id=99), "annotation-no-image"),
        (annotation(image_id=None), "annotation-no-image"),
        (annotation(category_id=2), "annotation-no-category"),
        (annotation(category_id=True), "annotation-no-category"),
        (annotation(bbox=[1, 2, 3]), "annotation-box"),
        (annotation(bbox=["1", 2, 3, 4]), "annotation-box"),
        (annotation(bbox=[1, 2, float("nan"), 4]), "not-finite"),
        (annotation(bbox=[1, 2, 10**400, 4]), "not-finite"),
        (annotation(bbox=[1, 2, 0, 4]), "size-not-positive"),
        (annotation(bbox=[1, 2, 4, -4]), "size-not-positive"),
        (annotation(bbox=[300, 2, 4, 4]), "centre-outside"),
        (annotation(bbox=[-10, 0, 230, 4]), "size-above-one"),
        ("text", "annotation-no-image"),
    ],
)
def test_coco_annotation_with_a_fault(coco: tuple[Path, dict[str, Any]], entry: Any, rule: str) -> None:
    path, content = coco
    content["annotations"].append(entry)
    path.write_text(json.dumps(content))
    found = read(path)
    assert rules(found) == {"category-renumbered": 1, rule: 1}
    assert found.counts.lost_by_rule == {rule: 1}
    assert found.counts.rows == 3


@pytest.mark.parametrize(
    "text", ["", "[", "[]", "{}", '{"images": [], "annotations": {}, "categories": []}', "[" * 100_000, "\udcff", "1" * 9999]
)
def test_what_is_no_coco_file(coco: tuple[Path, dict[str, Any]], text: str) -> None:
    path, _ = coco
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert set(rules(read(path))) & {"annotation-syntax", "annotation-key"}


def test_coco_ids_and_sizes(coco: tuple[Path, dict[str, Any]]) -> None:
    path, content = coco
    content["images"] += [
        {"id": 3, "file_name": "d.jpg", "width": 1, "height": 1},
        {"id": 5, "file_name": "e.jpg", "width": 0, "height": 9},
    ]
    content["categories"].append({"id": 1, "name": "again"})
    content["annotations"].append(annotation(id=1, image_id=3))
    path.write_text(json.dumps(content))
    found = read(path)
    assert rules(found)["annotation-duplicate-id"] == 3
    assert rules(found)["annotation-size"] == 1
    assert found.counts.skipped == 1


KEYS = ["id", "image_id", "category_id", "bbox", "width", "height", "file_name", "name", "iscrowd"]
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(), st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.fixed_dictionaries({key: st.lists(JSON, max_size=3) for key in ("images", "annotations", "categories")}))
def test_any_json_ends_in_a_reading(tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(content))
    found = read_coco(str(path), "train", None, DEFAULT)
    assert len(found.boxes) + sum(found.lost.values()) == sum(found.rows) + found.stray


def test_keras_lines(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        Image.new("L", (100, 50)).save(tmp_path / name)
    (tmp_path / "train.txt").write_text(
        "a.png 10,10,30,20,0 0,0,100,50,2\nb.png\r\n\nc.png 10,10,5,20,1 1,2,3,4 10,10,20,20,-1\nno.png 1,1,2,2,0\n"
    )
    found = read(tmp_path / "train.txt")
    assert [Path(picture).name for picture in found.labels.images.path] == ["a.png", "b.png", "c.png", "no.png"]
    assert found.labels.boxes.tolist() == np.array([[0.2, 0.3, 0.2, 0.2], [0.5, 0.5, 1, 1]], dtype=np.float32).tolist()
    assert found.labels.cls.tolist() == [0, 2]
    assert found.labels.line.tolist() == [1, 1]
    assert found.num_classes == 3
    assert (found.counts.images, found.counts.labelled, found.counts.background, found.counts.skipped) == (4, 2, 1, 1)
    told = {(fault.kind, fault.line, fault.column) for fault in found.faults if fault.line}
    assert told == {("size-not-positive", 4, 7), ("annotation-box", 4, 20), ("class-out-of-range", 4, 28)}


def test_a_keras_line_that_leaves_the_root(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    Image.new("L", (10, 10)).save(tmp_path / "x.png")
    (tmp_path / "set" / "train.txt").write_text("../x.png 1,1,2,2,0\n")
    found = read(tmp_path / "set" / "train.txt")
    assert [fault.kind for fault in found.faults] == ["list-line-outside"]
