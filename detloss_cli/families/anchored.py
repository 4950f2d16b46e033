"""What is needed to judge anchors of the families that have them: their settings without their losses, so that torch stays unloaded.

A test holds each entry to its family module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from detloss_cli.errors import DetlossError
from detloss_cli.families import MODULES
from detloss_cli.families.hyp import hyp_field
from detloss_cli.targets.anchor_ratio import Mirror


@dataclass(frozen=True, slots=True)
class RatioHyp:
    """The key that decides by ratio of sides."""

    anchor_t: float = hyp_field(4.0, 2.0, 8.0, "largest ratio of box to anchor side that matches, exclusive")


@dataclass(frozen=True, slots=True)
class ShapeHyp:
    """The key that decides by IoU of shapes."""

    iou_t: float = hyp_field(0.20, 0.1, 0.7, "shape IoU that matches, exclusive")


@dataclass(frozen=True, slots=True)
class NoHyp:
    """No key decides: the best anchor takes the box."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """One family. The names in capitals are those of its module.

    test, key: how an anchor takes a box, and the hyp key of the threshold. reach: largest box side that the decode can answer, in anchor
    sides; None without a bound. auto: the trainer fits new anchors before the first epoch if these leave out too many boxes.
    counted: profiles whose positives are exactly matches times cells. mirrors: profiles that find neighbours by another rule.
    """

    ID: str
    PROFILES: Mapping[str, None]
    MODEL: str
    HYP: str
    LOADER: str
    IMGSZ: int
    Hyp: type
    test: Literal["ratio", "shape", "best"]
    key: str = ""
    reach: float | None = None
    auto: bool = False
    counted: frozenset[str] = frozenset()
    mirrors: Mapping[str, Mirror] | None = None
    COARSE_FIRST: bool = False


def _named(*names: str) -> dict[str, None]:
    return dict.fromkeys(names)


_V5 = _named("1.0", "2.0", "3.0", "3.1", "4.0", "5.0", "6.0", "6.1", "6.2", "7.0")
_SPP = _named("wzm-preclamp", "wzm", "v7", "archive")

ANCHORED: dict[str, Anchored] = {
    "yolov5": Anchored(
        "yolov5",
        _V5,
        "yolov5s",
        "scratch-low",
        "yolov5-7.0",
        640,
        RatioHyp,
        "ratio",
        "anchor_t",
        reach=4.0,
        auto=True,
        counted=frozenset(_V5),
        mirrors={"1.0": "fraction", "2.0": "fraction"},
    ),
    "yolov7": Anchored(
        "yolov7",
        _named("plain", "aux", "ota"),
        "yolov7",
        "yolov7-p5",
        "yolov7",
        640,
        RatioHyp,
        "ratio",
        "anchor_t",
        reach=4.0,
        auto=True,
        counted=frozenset({"plain"}),
    ),
    "yolov3-spp": Anchored(
        "yolov3-spp",
        _SPP,
        "yolov3-spp",
        "yolov3-spp",
        "yolov3-spp",
        512,
        ShapeHyp,
        "shape",
        "iou_t",
        counted=frozenset(_SPP),
        COARSE_FIRST=True,
    ),
    "keras-yolo3": Anchored("keras-yolo3", _named("master"), "keras-yolo3", "keras-yolo3", "keras-yolo3", 416, NoHyp, "best"),
}


def load(family: str) -> Anchored:
    """The settings of a family that has anchors.

    Raises:
        DetlossError: a family without any, or none that is built in.
    """
    if family in ANCHORED:
        return ANCHORED[family]
    if family not in MODULES:
        raise DetlossError(f"unknown family {family!r}", where="--family", hint=f"one of {', '.join(ANCHORED)}")
    if family == "retinanet":
        raise DetlossError("retinanet's anchors follow from a formula, not from data", where="--family", hint="see inspect targets")
    raise DetlossError(f"{family} has no anchors", where="--family", hint=f"these have: {', '.join(ANCHORED)}")
