"""Public data sets with the mistakes that people made, counted by another program: the same numbers come out here."""

from __future__ import annotations

import json
import os
import shutil
import struct
import zlib
from collections import Counter
from pathlib import Path

import pytest

from detloss_cli.checks.labels import label_findings
from detloss_cli.inputs.data_yaml import read_data
from detloss_cli.inputs.dataset import DataSet, read_dataset
from detloss_cli.inputs.dataspec import DataSpec

DATASETS = Path(os.environ.get("DETLOSS_DATASETS", Path(__file__).parents[4] / "shared" / "datasets"))
# set -> errors by rule; none is clean
ERRORS: dict[str, dict[str, int]] = {
    "vegetables_crlf": {},
    "ppe_small": {},
    "coco256": {},
    "deeppcb_yolo": {},
    "cells_dense": {},
    # its labels lie beside the pictures, in a folder called images, where no loader looks for them
    "barcodes": {"no-labels": 1},
    "particles": {},
    "ships_dirty": {"class-out-of-range": 188, "point-outside": 7},
    "coco_seg200": {"class-out-of-range": 86},
    "rice_pest_mixed": {"mixed-rows": 6},
    "egypt_moto_plates": {"mixed-rows": 4},
    "deeppcb_pixel": {"pixel-coordinates": 10013},
}


def header(width: int, height: int) -> bytes:
    """A PNG that ends after its header."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


def build(name: str, root: Path) -> None:
    """The set as its repository has it, pictures cut to their headers."""
    for label in (DATASETS / name / "labels").rglob("*.txt"):
        parts = label.relative_to(DATASETS / name / "labels").parts
        target = root.joinpath(*(part for part in parts if part not in ("object_detection", "instance_segmentation")))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(label, target)
    sizes = DATASETS / name / "image_sizes.json"
    for picture, (width, height, *_) in (json.loads(sizes.read_text()) if sizes.exists() else {}).items():
        (root / picture).parent.mkdir(parents=True, exist_ok=True)
        (root / picture).write_bytes(header(width, height))


def read(name: str, root: Path) -> tuple[DataSet, Counter[tuple[str, str]]]:
    classes = json.loads((DATASETS / name / "SOURCE.json").read_text())["nc"] or 6
    spec = DataSpec(str(root), str(root), {"train": (str(root),)}, (), None, "inferred", "folder")
    dataset = read_dataset(spec, ("train",), "strict", num_classes=classes, sizes=True)
    return dataset, Counter((finding.severity, finding.rule) for finding in label_findings(dataset))


@pytest.mark.skipif(not DATASETS.is_dir(), reason="the data sets are not beside the project")
@pytest.mark.parametrize("name", ERRORS)
def test_counts(name: str, tmp_path: Path) -> None:
    source = json.loads((DATASETS / name / "SOURCE.json").read_text())
    root = tmp_path / name
    if name == "deeppcb_pixel":
        # its pictures do not lie where labels are looked for: labels alone
        shutil.copytree(DATASETS / name / "labels", root)
    else:
        build(name, root)
    dataset, found = read(name, root)
    counts = dataset.counts
    assert {rule: count for (severity, rule), count in found.items() if severity == "error"} == ERRORS[name]
    if name not in ("barcodes", "particles"):  # labels in folders that no picture leads to
        assert counts.rows == counts.boxes == source["boxes"]
        assert counts.background - counts.missing == source["what_is_wrong"].get("empty_files", 0)
    polygons = sum(count for columns, count in source["tokens_per_line"].items() if columns == "other" or int(columns) > 6)
    assert found["warning", "polygon-row"] + found["warning", "corner-row"] == polygons
    assert counts.lost_rows == sum(counts.lost_by_rule.values())


@pytest.mark.skipif(not DATASETS.is_dir(), reason="the data sets are not beside the project")
def test_pictures_and_labels_that_do_not_meet(tmp_path: Path) -> None:
    build("ships_dirty", tmp_path / "ships")
    _, found = read("ships_dirty", tmp_path / "ships")
    assert found["warning", "image-without-label"] == 88
    assert found["warning", "label-without-image"] == 34


@pytest.mark.skipif(not DATASETS.is_dir(), reason="the data sets are not beside the project")
def test_sizes_of_headers_equal_a_list_of_sizes(tmp_path: Path) -> None:
    build("ppe_small", tmp_path / "ppe")
    spec, _ = read_data(str(tmp_path / "ppe"), names="7")
    listed = DATASETS / "ppe_small" / "image_sizes.json"
    by_header = read_dataset(spec, ("train",), "strict", num_classes=7, sizes=True).labels.images
    by_list = read_dataset(spec, ("train",), "strict", num_classes=7, sizes=False, image_sizes=listed).labels.images
    assert by_header.sizes_known
    assert by_header.width.tolist() == by_list.width.tolist()
    assert by_header.height.tolist() == by_list.height.tolist()
