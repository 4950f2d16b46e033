"""Why an anchor-ratio assignment leaves a box without a positive, in the numbers of that box."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detloss_cli.inputs.head import Level
from detloss_cli.targets.anchor_ratio import side_ratios
from detloss_cli.targets.assignment import Array, Targets, chosen_targets


def ratio_reasons(
    targets: Targets, levels: Sequence[Level], threshold: float, imgsz: tuple[int, int], unassigned: Array
) -> dict[int, tuple[str, str]]:
    """Key and text for each box of `unassigned`.

    zero_size: a side is 0. too_small, too_large: the worst side of the nearest anchor is too short, too long, and the other would not help.
    aspect: one side is too long and the other too short for every anchor.

    Args:
        unassigned: (U,) index into the targets. imgsz: height and width of the network input, px.
    """
    plain = chosen_targets(targets, unassigned)
    boxes = plain.boxes
    nearest = np.full(len(boxes), np.inf, dtype=np.float64)
    for level in levels:
        with np.errstate(divide="ignore", invalid="ignore"):
            nearest = np.fmin(nearest, np.min(side_ratios(plain, level), axis=0, initial=np.inf))
    anchors = np.asarray([anchor for level in levels for anchor in level.anchors], dtype=np.float64)
    shortest, longest = anchors.min(axis=0) / threshold, anchors.max(axis=0) * threshold
    found = {}
    for row, index in enumerate(unassigned.tolist()):
        width, height = float(boxes[row, 2]) * imgsz[1], float(boxes[row, 3]) * imgsz[0]
        found[index] = _reason(width, height, float(nearest[row]), threshold, shortest, longest)
    return found


def _reason(width: float, height: float, nearest: float, threshold: float, shortest: Array, longest: Array) -> tuple[str, str]:
    size = f"{width:.1f}x{height:.1f} px"
    if width <= 0 or height <= 0:
        return "zero_size", f"{size}: zero size"
    ratio = f"ratio {nearest:.1f} ≥ anchor_t {threshold:g} on every level"
    small, large = (width <= shortest[0] or height <= shortest[1]), (width >= longest[0] or height >= longest[1])
    if small and not large:
        limit = f"width under {shortest[0]:.2f} px" if width <= shortest[0] else f"height under {shortest[1]:.2f} px"
        return "too_small", f"{size}: {limit}, {ratio}"
    if large and not small:
        limit = f"width over {longest[0]:.0f} px" if width >= longest[0] else f"height over {longest[1]:.0f} px"
        return "too_large", f"{size}: {limit}, {ratio}"
    return "aspect", f"{size}: {ratio}"
