"""The levels of a head as arrays, so that one operation serves all of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from array_api_compat import array_namespace, device

from detloss_cli.inputs.head import Level
from detloss_cli.targets.assignment import Array


@dataclass(frozen=True, slots=True)
class Grids:
    """L levels. size: (L, 4) cols, rows, cols, rows. anchors: (L, A, 2) in cells, NaN where a level has fewer than A."""

    size: Array
    anchors: Array


def grids_of(levels: Sequence[Level], like: Array) -> Grids:
    """The levels in the dtype and on the device of `like`."""
    xp = array_namespace(like)
    most = max((len(level.anchors) for level in levels), default=0)
    none = (math.nan, math.nan)
    table = [
        [level.cols, level.rows, level.cols, level.rows, level.stride]
        + [side for anchor in (*level.anchors, *[none] * (most - len(level.anchors))) for side in anchor]
        for level in levels
    ]
    whole = xp.asarray(table, dtype=like.dtype, device=device(like))
    return Grids(whole[:, :4], xp.reshape(whole[:, 5:] / whole[:, 4:5], (len(levels), most, 2)))
