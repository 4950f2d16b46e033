"""Cells near the centre of a box, counted without listing them: what SimOTA lets a box bid for. Written for numpy and torch alike."""

from __future__ import annotations

from collections.abc import Sequence

from array_api_compat import array_namespace

from detloss_cli.geometry.convert import cxcywh_to_xyxy
from detloss_cli.inputs.head import Level
from detloss_cli.targets.assignment import Array, Targets
from detloss_cli.targets.cells_between import count_between
from detloss_cli.targets.sim_ota_rules import SimOtaRules


def own_cells(targets: Targets, levels: Sequence[Level], rules: SimOtaRules) -> Array:
    """(N, L) int64: cells of each level that are a box's own, near its centre and, in older releases, inside it too.

    Args:
        targets: boxes (N, 4) `cxcywh_px`.
    """
    xp = array_namespace(targets.boxes)
    centre, corners = targets.boxes[:, :2], cxcywh_to_xyxy(targets.boxes)
    counts = []
    for level in levels:
        reach = rules.radius * level.stride
        low, high = centre - reach, centre + reach
        if rules.in_box:
            low, high = xp.maximum(low, corners[:, :2]), xp.minimum(high, corners[:, 2:])
        counts.append(count_between(low, high, (level.rows, level.cols), (level.stride, level.stride), offset=0.5))
    return xp.stack(counts, axis=1)
