"""Why an assignment by shape leaves a box without a positive, in the numbers of that box."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detloss_cli.inputs.head import Level
from detloss_cli.targets.assignment import Array, Targets, chosen_targets
from detloss_cli.targets.shape_match import shape_overlaps


def shape_reasons(
    targets: Targets, levels: Sequence[Level], threshold: float, imgsz: tuple[int, int], unassigned: Array
) -> dict[int, tuple[str, str]]:
    """Key and text for each box of `unassigned`: `zero_size`, or `shape` with the best overlap that any anchor has.

    Args:
        unassigned: (U,) index into the targets. imgsz: height and width of the network input, px.
    """
    host = chosen_targets(targets, unassigned)
    best = np.zeros(len(host.boxes), dtype=np.float64)
    for level in levels:
        with np.errstate(divide="ignore", invalid="ignore"):
            best = np.fmax(best, np.max(shape_overlaps(host, level), axis=0, initial=0.0))
    found = {}
    for row, index in enumerate(unassigned.tolist()):
        width, height = float(host.boxes[row, 2]) * imgsz[1], float(host.boxes[row, 3]) * imgsz[0]
        size = f"{width:.1f}x{height:.1f} px"
        if width <= 0 or height <= 0:
            found[index] = ("zero_size", f"{size}: zero size")
        else:
            found[index] = ("shape", f"{size}: best shape IoU {best[row]:.2f} ≤ iou_t {threshold:g} on every level")
    return found
