"""One step on real head tensors, 16 pictures at 640 px and 80 classes: task alignment and SimOTA, and the losses that they belong to."""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

from in_turn import Goal, Row, run
from workplace import ROOT, Place

ULTRALYTICS, YOLOX = "8.4.190", "0.3.0"
# What the two ask for where their losses are imported; torchvision and its like are left out, the rest comes without dependencies.
REQUIREMENTS = (
    "torch==2.13.0",
    "numpy",
    "array-api-compat",
    "opencv-python-headless",
    "pyyaml",
    "requests",
    "psutil",
    "pillow",
    "matplotlib",
    "polars",
    "loguru",
    "tabulate",
    "setuptools<81",
    "wheel",
)
GOALS = {
    "task alignment": Goal("times", 4),
    "YOLOv8 loss": Goal("ratio", 0.25),
    "SimOTA": Goal("times", 2),
    "YOLOX loss": Goal("ratio", 0.5),
}


def prepare(place: Place) -> None:
    """Both trainers, in one environment: detloss's source is put beside them, so that all are timed in one process."""
    python = place.peer("heads", REQUIREMENTS)
    install = (str(python), "-m", "pip", "install", "--quiet", "--no-deps", f"ultralytics=={ULTRALYTICS}", "ultralytics-thop")
    subprocess.run(install, check=True)
    _yolox_source(place, python)
    _labels(place)


def measure(place: Place) -> Iterator[Row]:
    python, source = place.peer("heads", REQUIREMENTS), _yolox_source(place, place.peer("heads", REQUIREMENTS))
    command = (str(python), str(ROOT / "benchmarks" / "head_losses.py"), str(_labels(place)), "--yolox", str(source))
    # threads that wait by spinning measure the neighbours of this process, not the work
    env = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE", "YOLO_CONFIG_DIR": str(place.folder), "YOLO_OFFLINE": "true"}
    for line in run((*command, "--rounds", str(3 * place.rounds)), env=env).splitlines():
        if line.startswith("{"):
            found = json.loads(line)
            ours, theirs = (1e3 * found[name] for name in ("ours", "theirs"))
            yield Row(f"{found['what']}, 16 pictures", ours, found["peer"], theirs, GOALS[found["what"]], unit="ms")


def _labels(place: Place) -> Path:
    return place.coco(images=64) / "labels" / "train"


def _yolox_source(place: Place, python: Path) -> Path:
    """Its source as the index has it: its build compiles an evaluation that no loss needs."""
    folder = place.folder / "peers"
    if not (folder / f"yolox-{YOLOX}" / "yolox").is_dir():
        fetch = (str(python), "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation", f"yolox=={YOLOX}")
        subprocess.run((*fetch, "--dest", str(folder)), check=True)
        with tarfile.open(folder / f"yolox-{YOLOX}.tar.gz") as archive:
            archive.extractall(folder, filter="data")
    return folder / f"yolox-{YOLOX}"
