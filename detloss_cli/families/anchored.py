"""How the families that have anchors let them take boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from detloss_cli.errors import DetlossError
from detloss_cli.families import MODULES


@dataclass(frozen=True, slots=True)
class Anchored:
    """One family.

    test, key: how an anchor takes a box, and the hyp key of the threshold, "" without. reach: largest box side that the decode can answer,
    in anchor sides; None without a bound. auto: the trainer fits new anchors before the first epoch if these leave out too many boxes.
    uncounted: profiles whose positives are not matches times cells, for the boxes bid for them or take them from each other.
    """

    test: Literal["ratio", "shape", "best"]
    key: str = ""
    reach: float | None = None
    auto: bool = False
    uncounted: frozenset[str] = frozenset()


ANCHORED: dict[str, Anchored] = {
    "yolov5": Anchored("ratio", "anchor_t", reach=4.0, auto=True),
    "yolov7": Anchored("ratio", "anchor_t", reach=4.0, auto=True, uncounted=frozenset({"aux", "ota"})),
    "yolov3-spp": Anchored("shape", "iou_t"),
    "keras-yolo3": Anchored("best", uncounted=frozenset({"master"})),
}


def anchored(family: str, where: str = "--family") -> Anchored:
    """How a family lets anchors take boxes.

    Args:
        where: the option that chose it.

    Raises:
        DetlossError: a family without any, or none that is built in.
    """
    if family in ANCHORED:
        return ANCHORED[family]
    if family not in MODULES:
        raise DetlossError(f"unknown family {family!r}", where="--family", hint=f"one of {', '.join(ANCHORED)}")
    if family == "retinanet":
        raise DetlossError("retinanet's anchors follow from a formula, not from data", where=where, hint="see inspect targets")
    raise DetlossError(f"{family} has no anchors", where=where, hint=f"these have: {', '.join(ANCHORED)}")
