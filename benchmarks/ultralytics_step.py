"""Real training steps of ultralytics on a few pictures, recorded by the tap, in an environment of its own: see ultralytics_parity.py.

    python benchmarks/ultralytics_step.py DATA MODEL OUT [--steps N] [--imgsz PX] [--batch N]

DATA is copied first, for ultralytics writes a cache beside the labels.
"""

from __future__ import annotations

import argparse
import importlib.machinery
import importlib.metadata
import os
import shutil
import sys
import tempfile
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class Enough(Exception):
    """The steps that were asked for have been taken."""


def without_torchvision() -> None:
    """Training a detector takes nothing from torchvision, but ultralytics asks for its version; a stand-in answers where it is missing."""
    asked = importlib.metadata.version

    def version(name: str) -> str:
        return "0.0.0" if name == "torchvision" else asked(name)

    try:
        asked("torchvision")
    except importlib.metadata.PackageNotFoundError:
        importlib.metadata.version = version
        stand_in = types.ModuleType("torchvision")
        stand_in.__spec__ = importlib.machinery.ModuleSpec("torchvision", None)
        stand_in.__version__ = "0.0.0"
        sys.modules["torchvision"] = stand_in


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("model")
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--imgsz", type=int, default=320)
    parser.add_argument("--batch", type=int, default=4)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.setdefault("YOLO_CONFIG_DIR", scratch)
        os.environ.setdefault("YOLO_OFFLINE", "true")
        without_torchvision()
        sys.path.insert(0, str(ROOT / "detloss_cli" / "predictions"))
        from ultralytics import YOLO

        from detloss_tap import ultralytics_callback

        data = Path(shutil.copytree(given.data, Path(scratch) / "data"))
        text = (data / "data.yaml").read_text(encoding="utf-8")
        (data / "data.yaml").write_text(f"path: {data}\n{text}", encoding="utf-8")
        model = YOLO(given.model)
        taken = []

        def count(trainer: object) -> None:
            taken.append(trainer)
            if len(taken) == given.steps:
                raise Enough

        model.add_callback("on_train_start", ultralytics_callback(str(given.out.resolve()), every=1, limit=given.steps))
        model.add_callback("on_train_batch_end", count)
        settings = {"imgsz": given.imgsz, "batch": given.batch, "epochs": 1, "workers": 0, "seed": 0, "device": "cpu", "val": False}
        try:
            model.train(data=str(data / "data.yaml"), project=scratch, plots=False, verbose=False, **settings)
        except Enough:
            print(f"{given.model}: {given.steps} steps of {given.batch} pictures at {given.imgsz} px recorded")


if __name__ == "__main__":
    main()
