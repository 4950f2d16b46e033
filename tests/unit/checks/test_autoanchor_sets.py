"""Whether AutoAnchor keeps the anchors of public sets: its rule computed anew from the label files, beside what `--anchors auto` does."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from public_sets import DATASETS, build, header

from detloss_cli.diagnose.anchors import inspect_anchors
from detloss_cli.diagnose.loss import inspect_targets
from detloss_cli.resolve import Request

STOCK = [10, 13, 16, 30, 33, 23, 30, 61, 62, 45, 59, 119, 116, 90, 156, 198, 373, 326]
TINY = [10, 14, 23, 27, 37, 58, 81, 82, 135, 169, 344, 319]
IMGSZ, THRESHOLD, KEEPS = 640, 4.0, 0.98
# The sets whose pictures have labels where yolov5 looks for them.
SETS = (
    "vegetables_crlf", "ppe_small", "coco256", "cells_dense", "particles", "ships_dirty", "coco_seg200", "rice_pest_mixed",
    "egypt_moto_plates", "deeppcb_yolo",
)  # fmt: skip
PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".webp"}


def rows(label: Path, num_classes: int) -> np.ndarray:
    """(N, 2) width and height of the rows that yolov5 7.0 trains on: written from its documented rules, not from this package."""
    tokens = [line.split() for line in label.read_text().splitlines() if line.strip()] if label.is_file() else []
    if not tokens:
        return np.empty((0, 2))
    if any(len(row) > 6 for row in tokens):
        points = [np.array(row[1:], dtype=np.float32).reshape(-1, 2) for row in tokens]
        boxes = [[float(row[0]), *(p.min(0) + p.max(0)) / 2, *np.ptp(p, axis=0)] for row, p in zip(tokens, points, strict=True)]
        table = np.array(boxes, dtype=np.float32)
    elif {len(row) for row in tokens} != {5}:
        return np.empty((0, 2))
    else:
        table = np.array(tokens, dtype=np.float32)
    if (table < 0).any() or (table[:, 1:] > 1).any():
        return np.empty((0, 2))
    table = np.unique(table, axis=0)
    return table[table[:, 0] < num_classes, 3:]


def by_hand(root: Path, sizes: dict[str, list[int]], num_classes: int, anchors: list[int]) -> tuple[float, int]:
    """Best possible recall and boxes: the part of the boxes with an anchor within the threshold on both sides."""
    sides = []
    for picture in sorted(root.rglob("*")):
        if picture.suffix.lower() not in PICTURES:
            continue
        name = str(picture.relative_to(root))
        width, height = sizes[name][:2]
        if sizes[name][2:] and sizes[name][2] in (5, 6, 7, 8):
            width, height = height, width
        head, found, tail = f"/{name}".rpartition("/images/")
        label = root / (f"{head}/labels/{tail}" if found else name).lstrip("/")
        scale = IMGSZ / max(width, height)
        sides.append(rows(label.with_suffix(".txt"), num_classes) * [width * scale, height * scale])
    boxes = np.concatenate(sides)
    ratio = boxes[:, None] / np.array(anchors, dtype=np.float64).reshape(-1, 2)[None]
    with np.errstate(divide="ignore"):
        best = np.minimum(ratio, 1 / ratio).min(axis=2).max(axis=1)
    return float((best > 1 / THRESHOLD).mean()), len(boxes)


@pytest.mark.skipif(not DATASETS.is_dir(), reason="the data sets are not beside the project")
@pytest.mark.parametrize(("model", "anchors"), [("yolov5s", STOCK), ("yolov3-tiny", TINY)])
@pytest.mark.parametrize("name", SETS)
def test_it_keeps_or_fits_as_its_rule_says(name: str, model: str, anchors: list[int], tmp_path: Path) -> None:
    root = tmp_path / name
    build(name, root)
    source = json.loads((DATASETS / name / "SOURCE.json").read_text())
    # header-only copies are PNGs, and only JPEGs are turned by their orientation: the sizes are listed
    listed = DATASETS / name / "image_sizes.json"
    if not listed.exists():  # its pictures are 640 x 640, all of them
        stems = [label.with_suffix("") for label in root.rglob("*.txt")]
        for stem in stems:
            stem.with_suffix(".png").write_bytes(header(640, 640))
        listed = tmp_path / "sizes.json"
        listed.write_text(json.dumps({f"{stem.relative_to(root)}.png": [640, 640] for stem in stems}))
    recall, boxes = by_hand(root, json.loads(listed.read_text()), source["nc"], anchors)
    (root / "all.yaml").write_text(f"train: .\nval: .\nnc: {source['nc']}\n")
    request = Request(
        "inspect anchors", (str(root / "all.yaml"),), model=model, family="yolov5", loader="yolov5-7.0", image_sizes=str(listed)
    )
    stock, _ = inspect_anchors(request)
    assert stock.assignment is not None
    assert stock.labels is not None
    assert stock.labels.kept == boxes > 0
    assert stock.assignment.best_possible_recall == pytest.approx(recall, abs=1e-4)
    auto, findings = inspect_targets(replace(request, command="inspect targets", anchors="auto"))
    assert auto.settings is not None
    fitted = any(finding.rule == "anchors-fitted-here" for finding in findings)
    said = auto.settings.origins["anchors"]
    assert fitted == (recall <= KEEPS and "a fit has no better one" not in said), said
