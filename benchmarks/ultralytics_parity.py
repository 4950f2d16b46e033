#!/usr/bin/env python3
"""detloss's loss beside ultralytics' own, for real training steps of ultralytics.

    python -m venv trainer
    trainer/bin/pip install torch==2.13.0
    trainer/bin/pip install numpy opencv-python-headless pyyaml requests psutil pillow matplotlib polars
    trainer/bin/pip install --no-deps ultralytics ultralytics-thop
    python benchmarks/ultralytics_parity.py trainer/bin/python [MODEL ...]

Each model is trained for some steps with the trainer's defaults, mosaic and all, on sample_data; the tap records them, `detloss compute`
reads the dumps. The command fails if a number differs by more than 1e-5.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "sample_data" / "vegetables"
DETLOSS = str(Path(sys.executable).parent / "detloss")
MODELS = ("yolov8n.yaml", "yolo11n.yaml", "yolo26n.yaml")
MOST = 1e-5


def recorded(python: str, model: str, folder: Path) -> dict[str, Any]:
    """The report of detloss on what one training gave."""
    step = [python, str(HERE / "ultralytics_step.py"), str(DATA), model, str(folder)]
    done = subprocess.run(step, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(step)} failed:\n{done.stderr[-2000:]}")
    print(done.stdout.strip().splitlines()[-1])
    command = [DETLOSS, "compute", str(DATA / "data.yaml"), "--preds", str(folder), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", help="of the environment that has ultralytics")
    parser.add_argument("model", nargs="*", help=f"default {' '.join(MODELS)}")
    given = parser.parse_args()
    failed = False
    for model in given.model or MODELS:
        with tempfile.TemporaryDirectory() as folder:
            report = recorded(given.python, model, Path(folder) / "dumps")
        settings = report["settings"]
        why, classes = settings["origins"]["profile"], settings["num_classes"]
        print(f"family {settings['family']} profile {settings['profile']} ({why}), {classes} classes")
        print(f"{'step':>6} {'boxes':>6} {'what':<6} {'ultralytics':>14} {'detloss':>14} {'difference':>11}")
        for one in report["dumps"]:
            parity = one["parity"]
            for name, theirs in parity["trainer"].items():
                ours = parity["own"][name]
                gap = abs(ours - theirs) / max(abs(theirs), 1e-12)
                failed |= gap > MOST
                print(f"{one['step']:>6} {one['boxes']:>6} {name:<6} {theirs:>14.7f} {ours:>14.7f} {gap:>11.1e}")
        print()
    print(f"{'a number differs' if failed else 'no number differs'} by more than {MOST:.0e}")
    raise SystemExit(failed)


if __name__ == "__main__":
    main()
