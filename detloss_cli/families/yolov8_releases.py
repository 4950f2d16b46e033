"""The releases of ultralytics, and what differs between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from detloss_cli.families.yolov8_e2e import YOLO26, YOLOV10, BranchPlan
from detloss_cli.targets.centre_inside import PLAIN, BoxRules


@dataclass(frozen=True, slots=True)
class Profile:
    """One release.

    boxes: how they are taken. branches: of end-to-end heads, None without. l1: distances without a distribution have a cost.
    class_weights: `cls_pw` is read. in_order: rows of the targets have to be sorted by image. returns: the loss as a sum or as a vector
    of its terms, in both cases times the batch size.
    """

    boxes: BoxRules = PLAIN
    branches: BranchPlan | None = None
    l1: bool = False
    class_weights: bool = False
    in_order: bool = False
    returns: Literal["sum", "vector"] = "sum"


_V83 = Profile(branches=YOLOV10)
_V832 = replace(_V83, returns="vector")
_V84 = replace(_V832, boxes=BoxRules("below_first_stride"), branches=YOLO26, l1=True)
PROFILES: Mapping[str, Profile] = {
    "8.1": Profile(),
    "8.3.0": _V83,
    "8.3.200": replace(_V832, boxes=BoxRules(float32_corners=True)),
    "8.4.0": _V84,
    "8.4.190": replace(_V84, boxes=BoxRules("below_second_stride"), class_weights=True, in_order=True),
}
