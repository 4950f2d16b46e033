"""Public data sets with the mistakes that people made, counted by another program: the same numbers come out here."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from public_sets import DATASETS, build

from detloss_cli.diagnose.labels import inspect_labels
from detloss_cli.facts.labels import LabelFacts
from detloss_cli.finding import Finding
from detloss_cli.inputs.data_yaml import read_data
from detloss_cli.inputs.dataset import read_dataset
from detloss_cli.resolve import Request

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


def inspected(name: str, root: Path) -> tuple[LabelFacts, list[Finding]]:
    """The whole folder as one split, under the names that its source gives, else under numbers."""
    source = json.loads((DATASETS / name / "SOURCE.json").read_text())
    (root / "all.yaml").write_text("train: .\nval: .\n" + (f"names: {json.dumps(source['names'])}\n" if source["names"] else ""))
    names = None if source["names"] else str(source["nc"] or 6)
    facts, findings = inspect_labels(Request("inspect labels", data=(str(root / "all.yaml"),), names=names))
    assert facts.labels is not None
    return facts.labels, [finding for finding in findings if finding.rule not in ("split-same-path", "data-key-missing")]


def read(name: str, root: Path) -> tuple[LabelFacts, Counter[tuple[str, str]]]:
    labels, findings = inspected(name, root)
    return labels, Counter((finding.severity, finding.rule) for finding in findings)


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
    counts, found = read(name, root)
    assert {rule: count for (severity, rule), count in found.items() if severity == "error"} == ERRORS[name]
    if name not in ("barcodes", "particles"):  # labels in folders that no picture leads to
        assert counts.rows == counts.boxes == source["boxes"]
        assert counts.background - counts.missing == source["what_is_wrong"].get("empty_files", 0)
    polygons = sum(count for columns, count in source["tokens_per_line"].items() if columns == "other" or int(columns) > 6)
    assert found["warning", "polygon-row"] + found["warning", "corner-row"] == polygons
    assert counts.lost.rows == sum(counts.lost.by_rule.values()) == counts.rows - counts.kept


@pytest.mark.skipif(not DATASETS.is_dir(), reason="the data sets are not beside the project")
def test_pictures_and_labels_that_do_not_meet(tmp_path: Path) -> None:
    build("ships_dirty", tmp_path / "ships")
    _, found = read("ships_dirty", tmp_path / "ships")
    assert found["warning", "image-without-label"] == 88
    assert found["warning", "label-without-image"] == 34


@pytest.mark.skipif(not DATASETS.is_dir(), reason="the data sets are not beside the project")
def test_points_above_and_below(tmp_path: Path) -> None:
    build("ships_dirty", tmp_path / "ships")
    _, findings = inspected("ships_dirty", tmp_path / "ships")
    values = [float(finding.message.split()[0]) for finding in findings if finding.rule == "point-outside"]
    assert (sum(value > 1 for value in values), sum(value < 0 for value in values)) == (3, 4)


# set -> images, rows, rows kept, folders of labels that nothing leads to: the folder as a user names it
FOLDERS = {
    "vegetables_crlf": (917, 7777, 7777, 3),
    "ppe_small": (60, 506, 506, 0),
    "deeppcb_yolo": (1500, 10013, 10013, 0),
    "cells_dense": (32, 3054, 3054, 0),
    "barcodes": (564, 0, 0, 1),
    "particles": (120, 775, 775, 4),
    "ships_dirty": (567, 708, 520, 0),
    "rice_pest_mixed": (530, 780, 776, 3),
    "egypt_moto_plates": (1224, 1269, 1265, 0),
}


@pytest.mark.skipif(not DATASETS.is_dir(), reason="the data sets are not beside the project")
@pytest.mark.parametrize("name", FOLDERS)
def test_the_bare_folder(name: str, tmp_path: Path) -> None:
    build(name, tmp_path / name)
    source = json.loads((DATASETS / name / "SOURCE.json").read_text())
    facts, findings = inspect_labels(Request("inspect labels", data=(str(tmp_path / name),), names=str(source["nc"])))
    assert facts.labels is not None
    stray = [finding for finding in findings if finding.rule == "label-folder-unread"]
    assert (facts.labels.images, facts.labels.rows, facts.labels.kept, len(stray)) == FOLDERS[name]
    if name not in ("particles", "ships_dirty"):  # classes.txt, and labels without a picture, are no part of the count
        assert facts.labels.rows + rows_below(stray) == source["boxes"]


def rows_below(stray: list[Finding]) -> int:
    """Rows of the label files in folders that were named and not read."""
    files = [file for finding in stray if finding.where is not None for file in Path(finding.where.path).glob("*.txt")]
    return sum(bool(line.strip()) for file in files if file.name != "classes.txt" for line in file.read_text().splitlines())


@pytest.mark.skipif(not DATASETS.is_dir(), reason="the data sets are not beside the project")
def test_every_loader_of_every_dirty_set(tmp_path: Path) -> None:
    build("egypt_moto_plates", tmp_path / "egypt")
    facts, _ = inspect_labels(Request("inspect labels", data=(str(tmp_path / "egypt"),), names="1", loader="all"))
    assert facts.survey is not None
    by = {one.loader: one for one in facts.survey.loaders}
    assert (by["strict"].lost, by["strict"].images) == (4, 0)
    # four files mix boxes and polygons: read as two points by the older loaders, dropped by the newest
    assert by["yolov5-7.0"].misread == by["yolov7"].misread > 0
    assert by["ultralytics-8.4"].images == 4
    assert all(one.kept + one.lost == 1269 for one in facts.survey.loaders)


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
