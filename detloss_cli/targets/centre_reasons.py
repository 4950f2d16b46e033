"""Why centre sampling leaves a box without a point, in the numbers of that box."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from detloss_cli.inputs.head import Level
from detloss_cli.targets.assignment import Array, Targets, on_host
from detloss_cli.targets.centre_radius import Bids, assign_by_centre_radius, bids, box_areas, scale_range


def centre_reasons(
    targets: Targets, levels: Sequence[Level], imgsz: tuple[int, int], radius: float, unassigned: Array
) -> dict[int, tuple[str, str]]:
    """Key and text for each box of `unassigned`, which are (U,) indices into the targets.

    no_centre_inside: no grid point is inside the box and near its centre. out_of_scale_range: there are, on levels for other sizes.
    lost_to_another_box: all of those that fit went to smaller boxes, or to earlier ones of the same size.
    """
    plain = on_host(targets)
    found = bids(plain, levels, imgsz, radius)
    winners = assign_by_centre_radius(plain, levels, imgsz, radius=radius)
    slots = zip(*(column.tolist() for column in (winners.image, winners.level, winners.row, winners.col)), strict=True)
    holder = dict(zip(slots, winners.gt.tolist(), strict=True))
    areas, reasons = box_areas(plain.boxes), {}
    for gt in unassigned.tolist():
        size = "{:.1f}x{:.1f} px".format(*(plain.boxes[gt, 2:] - plain.boxes[gt, :2]))
        mine = np.nonzero(found.gt == gt)[0]
        fitting = mine[found.fits[mine]]
        if len(mine) == 0:
            reasons[gt] = ("no_centre_inside", f"{size}: no grid point inside it and within {radius:g} strides of its centre")
        elif len(fitting) == 0:
            reasons[gt] = ("out_of_scale_range", f"{size}: {_ranges(found, mine, levels)}")
        else:
            first = fitting[0]
            taker = holder[int(plain.image[gt]), int(found.level[first]), int(found.row[first]), int(found.col[first])]
            text = f"{size}: all {len(fitting)} points that fit went to other boxes, such as box {taker} of {areas[taker]:.0f} px²"
            reasons[gt] = ("lost_to_another_box", f"{text} against {areas[gt]:.0f} px²")
    return reasons


def _ranges(found: Bids, mine: Array, levels: Sequence[Level]) -> str:
    """What the box offers each level that has a point in it, and what that level takes."""
    told = []
    for index in np.unique(found.level[mine]).tolist():
        far = found.farthest[mine][found.level[mine] == index]
        low, high = scale_range(levels, index)
        told.append(f"{levels[index].name} has its farthest side {far.min():.1f} to {far.max():.1f} px away and takes {low:g} to {high:g}")
    return "; ".join(told)
