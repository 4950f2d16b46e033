"""The labels of a made set in front of a yolov5s head at 640 px, square pictures, as detloss takes them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from detloss_cli import scene as scenes
from detloss_cli.resolve import Request, setup
from detloss_cli.scene import Scene


@dataclass(frozen=True, slots=True)
class Stage:
    """scene: what was read. hyp: as the loss gets it, its gains those of the hyp file."""

    scene: Scene
    hyp: Any


def stage(folder: Path, family: str = "yolov5") -> Stage:
    """Everything before the assignment, with one thing to compare: no gain is scaled."""
    request = Request("compute", (str(folder / "data.yaml"),), family=family, geometry="square", raw_gains=True, device="cpu")
    chosen = setup(request)
    return Stage(scenes.stage(request, chosen), chosen.hyp)
