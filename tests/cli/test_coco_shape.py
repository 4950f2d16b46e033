"""Data of COCO's shape: every box without a positive has its reason, and their number is what the rule gives box by box."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from detloss_cli.cli import main as entry

ROOT = Path(__file__).resolve().parents[2]
P5 = np.array([[10, 13], [16, 30], [33, 23], [30, 61], [62, 45], [59, 119], [116, 90], [156, 198], [373, 326]], dtype=np.float64)
COMMON = ["--geometry", "square", "--no-cache", "--format", "json", "--fail-on", "never"]


def made(folder: Path, images: int) -> Path:
    generator = [sys.executable, str(ROOT / "benchmarks" / "coco_shape.py")]
    subprocess.run(
        [*generator, "--images", str(images), "--seed", "0", "--out", str(folder), "--image-files", "link"], check=True, capture_output=True
    )
    return folder


def told(capsys: pytest.CaptureFixture[str], folder: Path, *command: str) -> dict[str, Any]:
    assert entry.run([*command, str(folder / "data.yaml"), *COMMON]) == 0
    body: dict[str, Any] = json.loads(capsys.readouterr().out)
    return body


def boxes_of(folder: Path) -> NDArray[np.float64]:
    rows = [line.split() for label in (folder / "labels" / "train").iterdir() for line in label.read_text().splitlines()]
    return np.array(rows, dtype=np.float64)


def hold(body: dict[str, Any]) -> None:
    """Nothing is left unexplained."""
    labels, assignment = body["labels"], body["assignment"]
    assert labels["kept"] + labels["lost"]["rows"] == labels["rows"]
    without = assignment["unassigned"]
    got = assignment["boxes"] - assignment["per_box"]["histogram"][0]
    assert got + without["count"] == assignment["boxes"] == labels["kept"]
    for groups in ("by_reason", "by_size", "by_class", "by_aspect"):
        assert sum(without[groups].values()) == without["count"]


def test_a_part_of_it_box_by_box(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = made(tmp_path / "coco", 2000)
    boxes = boxes_of(folder)
    ratio = boxes[:, None, 3:] * 640 / P5  # (N, 9, 2)
    without = int((np.maximum(ratio, 1 / ratio).max(axis=2) >= 4).all(axis=1).sum())
    targets, gate = told(capsys, folder, "inspect", "targets"), told(capsys, folder, "check")
    hold(targets)
    assert without > 2
    assert targets["assignment"]["unassigned"]["count"] == without
    assert targets["labels"]["rows"] == len(boxes)
    assert targets["assignment"]["best_possible_recall"] == pytest.approx(1 - without / len(boxes), abs=1e-12)
    assert gate["assignment"] == targets["assignment"]
    named = [finding for finding in targets["findings"] if finding["rule"] == "box-without-positive"]
    assert len(named) == without
    assert all("ratio" in finding["message"] and finding["line"] for finding in named)


@pytest.mark.slow
def test_all_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    body = told(capsys, made(tmp_path / "coco", 118_287), "inspect", "targets")
    hold(body)
    assignment = body["assignment"]
    assert (assignment["boxes"], assignment["unassigned"]["count"], assignment["collisions"]["boxes_without_slot"]) == (860_001, 318, 257)
    assert round(assignment["best_possible_recall"], 5) == 0.99963
