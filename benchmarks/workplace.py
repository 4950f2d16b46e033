"""Where the benchmarks keep what they make: data sets of COCO's shape and environments of other tools."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import coco_shape
from in_turn import Goal, Kind

ROOT = Path(__file__).resolve().parents[1]
DETLOSS = str(Path(sys.executable).parent / "detloss")


@dataclass(frozen=True, slots=True)
class Place:
    """folder: what is made stays there, and is made once. full: the full size instead of a tenth. rounds: of each measurement."""

    folder: Path
    full: bool
    rounds: int

    @property
    def images(self) -> int:
        """Images of a set: as many as COCO train2017, or a tenth."""
        return coco_shape.COCO_IMAGES if self.full else round(coco_shape.COCO_IMAGES / 10)

    def goal(self, kind: Kind, value: float) -> Goal | None:
        """A goal that is set for the full size; at a tenth of it the start of the process weighs too much."""
        return Goal(kind, value) if self.full else None

    def coco(self, style: str = "fixed", *, images: int | None = None, image_files: str = "link", broken: int = 0) -> Path:
        """The folder of a data set, see `coco_shape`; its data.yaml stands in it."""
        count = self.images if images is None else images
        folder = self.folder / "-".join(["coco", str(count), style, image_files, *([f"broken{broken}"] if broken else [])])
        if not (folder / "stats.json").exists():  # it is written last
            shutil.rmtree(folder, ignore_errors=True)
            coco_shape.write(folder, count, 0, image_files, broken, style)
        return folder

    def peer(self, name: str, requirements: Sequence[str]) -> Path:
        """The interpreter of an environment of its own that has `requirements`."""
        folder = self.folder / "peers" / name
        python, done = folder / "bin" / "python", folder / ".ready"
        if not done.exists() or done.read_text(encoding="utf-8") != "\n".join(requirements):
            shutil.rmtree(folder, ignore_errors=True)
            venv.create(folder, with_pip=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *requirements], check=True)
            done.write_text("\n".join(requirements), encoding="utf-8")
        return python
