"""Why task alignment leaves a box without a positive, and which boxes stop the trainer."""

from __future__ import annotations

from typing import Any

import numpy as np

from detloss_cli.inputs.head import Head
from detloss_cli.targets.assignment import Array, Assignment, Targets, without_rows
from detloss_cli.targets.centre_inside import BoxRules, Reach, corners_px, taken

Reasons = dict[int, tuple[str, str]]


def refusals(targets: Targets, classes: int, profile: str, in_order: bool) -> Reasons:
    """Key and text for each box over which the release raises IndexError.

    class_out_of_range: not in -classes..classes - 1; -1 counts from the end. out_of_order: its image comes before that of the box above.

    Args:
        in_order: the release insists on targets sorted by image.
    """
    found: Reasons = {}
    cls, image = _host(targets.cls), _host(targets.image)
    for gt in np.nonzero((cls >= classes) | (cls < -classes))[0].tolist():
        found[gt] = ("class_out_of_range", f"class {int(cls[gt])} of {classes}: ultralytics {profile} raises IndexError")
    if in_order:
        for gt in (np.nonzero(np.diff(image) < 0)[0] + 1).tolist():
            text = f"image {int(image[gt])} after image {int(image[gt - 1])}: ultralytics {profile} needs targets sorted by image"
            found.setdefault(gt, ("out_of_order", text))
    return dict(sorted(found.items()))


def task_reasons(targets: Targets, assignment: Assignment, reach: Reach, boxes: BoxRules, head: Head, topk: int) -> Reasons:
    """Key and text for each target without a row.

    taken_for_padding: its corners sum to 0 or less. no_centre_inside: no cell of any level has its centre in it. lost_to_other_box: every
    cell that it took overlaps another box more. beyond_reach: each side distance is more than (reg_max - 1) stride from every cell inside
    it, so nothing overlaps. not_in_top_k: its cells are not among those of the highest metric.
    """
    corners = corners_px(targets, head.levels, boxes)
    kept, xyxy = _host(taken(corners)), _host(corners)
    no_centre, beyond = _host(reach.no_centre), _host(reach.beyond)
    evidence = {name: _host(value) for name, value in assignment.of_targets.items()}
    found: Reasons = {}
    for gt in _host(without_rows(targets, assignment)).tolist():
        size = f"{xyxy[gt, 2] - xyxy[gt, 0]:.4g}x{xyxy[gt, 3] - xyxy[gt, 1]:.4g} px"
        if not kept[gt]:
            found[gt] = ("taken_for_padding", f"{size}: its corners sum to {xyxy[gt].sum():.4g} px, which the trainer takes for padding")
        elif no_centre[gt]:
            found[gt] = ("no_centre_inside", f"{size}: no cell centre inside, the finest stride is {min(head.strides)} px")
        elif int(evidence["rival"][gt]) >= 0:
            found[gt] = ("lost_to_other_box", f"{size}: {_lost(evidence, gt)}")
        elif beyond[gt]:
            limit = (head.reg_max - 1) * max(head.strides)
            found[gt] = ("beyond_reach", f"{size}: no cell inside reaches its sides, at most {limit} px away ({_best(evidence, gt)})")
        else:
            cells = int(evidence["cells"][gt])
            inside = "1 cell" if cells == 1 else f"{cells} cells"
            found[gt] = ("not_in_top_k", f"{size}: {inside} inside, none in its top {topk} ({_best(evidence, gt)})")
    return found


def _lost(evidence: dict[str, Any], gt: int) -> str:
    rival, overlap = int(evidence["rival"][gt]), float(evidence["rival_overlap"][gt])
    number = int(evidence["picked"][gt])
    cells = "the only cell it took goes" if number == 1 else f"each of the {number} cells it took goes"
    best = "" if number == 1 else " the best"
    return f"{cells} to another box,{best} to box {rival} with CIoU {overlap:.2f} ({_best(evidence, gt)})"


def _best(evidence: dict[str, Any], gt: int) -> str:
    return f"best metric {float(evidence['best_metric'][gt]):.3g}, best CIoU {float(evidence['best_overlap'][gt]):.2f}"


def _host(array: Array) -> Any:
    return array.detach().cpu().numpy() if hasattr(array, "detach") else np.asarray(array)
