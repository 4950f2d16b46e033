"""The releases of yolov5, and what differs between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from detloss_cli.geometry.iou import YOLOV5_1, YOLOV5_3, YOLOV5_5, YOLOV5_31, YOLOV5_62, IouForm, Kind
from detloss_cli.targets.anchor_ratio import Mirror


@dataclass(frozen=True, slots=True)
class Profile:
    """One release.

    mirror, clamp: of the assignment. kind, form: of the overlap. balance3, balance: objectness weight a level of a three-level head, of any
    other. scales: what the trainer scales. box_key: the box gain's name. in_loss: box and cls are multiplied with 3/levels inside the loss.
    obj4: objectness is too, and with this for four levels. smoothing: label smoothing is read. items: how many items are returned.
    spare: subtracted from the number of classes in the class prior. sorts_one: a single row can be sorted by its overlap.
    """

    mirror: Mirror
    clamp: bool
    kind: Kind
    form: IouForm
    balance3: tuple[float, ...]
    balance: tuple[float, ...]
    scales: tuple[str, ...]
    box_key: str = "box"
    in_loss: bool = False
    obj4: float | None = None
    smoothing: bool = False
    items: int = 4
    spare: float = 0.99
    sorts_one: bool = True


_OLD = Profile("fraction", False, "giou", YOLOV5_1, (1.0,) * 3, (1.0,) * 5, ("classes",), box_key="giou")
_V2 = replace(_OLD, balance3=(4.0, 1.0, 0.4), balance=(4.0, 1.0, 0.4, 0.1), in_loss=True, obj4=1.4)
_V3 = replace(_V2, mirror="complement", kind="ciou", form=YOLOV5_3)
_V31 = replace(_V3, form=YOLOV5_31, box_key="box")
_V4_WEIGHTS = (4.0, 1.0, 0.3, 0.1, 0.03)
_V4 = replace(_V31, clamp=True, balance3=_V4_WEIGHTS[:3], balance=_V4_WEIGHTS, scales=("classes", "size"), obj4=None)
_V5 = replace(
    _V4,
    in_loss=False,
    form=YOLOV5_5,
    balance3=(4.0, 1.0, 0.4),
    balance=(4.0, 1.0, 0.25, 0.06, 0.02),
    scales=("classes", "size", "levels"),
    smoothing=True,
)
_V6 = replace(_V5, items=3)
_V62 = replace(_V6, form=YOLOV5_62, sorts_one=False)
PROFILES: Mapping[str, Profile] = {
    "1.0": _OLD,
    "2.0": _V2,
    "3.0": _V3,
    "3.1": _V31,
    "4.0": _V4,
    "5.0": _V5,
    "6.0": _V6,
    "6.1": _V6,
    "6.2": _V62,
    "7.0": replace(_V62, spare=0.99999),
}
