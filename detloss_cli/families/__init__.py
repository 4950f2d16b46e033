"""The families by id, each a module that is imported when it is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from detloss_cli.errors import DetlossError

if TYPE_CHECKING:
    from detloss_cli.families.interface import Family

MODULES: dict[str, str] = {
    "yolov5": "detloss_cli.families.yolov5",
    "yolov3-spp": "detloss_cli.families.yolov3_spp",
    "yolov7": "detloss_cli.families.yolov7",
    "keras-yolo3": "detloss_cli.families.keras_yolo3",
    "centernet": "detloss_cli.families.centernet",
    "cornernet": "detloss_cli.families.cornernet",
    "yolox": "detloss_cli.families.yolox",
    "fcos": "detloss_cli.families.fcos",
    "retinanet": "detloss_cli.families.retinanet",
    "detr": "detloss_cli.families.detr",
    "yolov8": "detloss_cli.families.yolov8",
}


def load(family: str) -> Family:
    """The module of a family.

    Raises:
        DetlossError: no family of that id.
    """
    if family not in MODULES:
        raise DetlossError(f"unknown family {family!r}", where="--family", hint=f"one of {', '.join(MODULES)}")
    return cast("Family", import_module(MODULES[family]))
