"""What differs between the SimOTA of one release and the next: settings alone, so that reading them loads no torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SimOtaRules:
    """What differs between releases.

    radius: half side of the square around a box centre, strides. in_box: cells inside a box are candidates too, and only those that are
    both inside and near count as its own; else nearness alone decides. penalty: cost of a cell that is not the box's own.
    top: overlaps that are added up to k. overlap_weight: weight of -log(IoU) in the cost.
    """

    radius: float = 1.5
    in_box: bool = False
    penalty: float = 1e6
    top: int = 10
    overlap_weight: float = 3.0
