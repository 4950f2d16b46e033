"""What task alignment can reach, from labels alone: the cells whose centre lies inside a box. Written for numpy and torch alike.

Source: behaviour of ultralytics 8.1.0 to 8.4.190. The cells found here are exactly the candidates of `task_aligned`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from array_api_compat import array_namespace

from detloss_cli.geometry.convert import cxcywh_to_xyxy, scaled_xy, xyxy_to_cxcywh
from detloss_cli.inputs.head import Level
from detloss_cli.targets.assignment import Array, Targets
from detloss_cli.targets.cells_between import cells_between, count_between

SmallBoxes = Literal["as_they_are", "below_first_stride", "below_second_stride"]
INSIDE_PX = 1e-9  # how far inside its box a centre has to lie, exclusive


@dataclass(frozen=True, slots=True)
class BoxRules:
    """How a release takes its boxes.

    small: as in `tested_boxes`. float32_corners: corners are rounded to float32, which shows where the rest is float64.
    """

    small: SmallBoxes = "as_they_are"
    float32_corners: bool = False


PLAIN = BoxRules()


@dataclass(frozen=True, slots=True)
class Reach:
    """What is open to each box before any prediction is known. N boxes, L levels.

    cells: (N, L) int64, cells whose centre lies inside the box, enlarged if the release enlarges it. in_reach: (N, L) int64, those of them
    from which a distribution of `reg_max` bins can express all four sides; all of them where there is no distribution.
    """

    cells: Array
    in_reach: Array

    @property
    def no_centre(self) -> Array:
        """(N,) bool: no cell of any level can take the box."""
        return array_namespace(self.cells).sum(self.cells, axis=1) == 0

    @property
    def beyond(self) -> Array:
        """(N,) bool: cells can take the box, but none of them can express it."""
        return ~self.no_centre & (array_namespace(self.cells).sum(self.in_reach, axis=1) == 0)


def corners_px(targets: Targets, levels: Sequence[Level], rules: BoxRules) -> Array:
    """Boxes in pixels of the network input, which is as large as the first level makes it: (N, 4) `xyxy`, in the dtype of the targets."""
    first = levels[0]
    corners = cxcywh_to_xyxy(scaled_xy(targets.boxes, first.cols * first.stride, first.rows * first.stride))
    if not rules.float32_corners:
        return corners
    xp = array_namespace(corners)
    return xp.astype(xp.astype(corners, xp.float32), corners.dtype)


def taken(corners: Array) -> Array:
    """(N,) bool: boxes that count as boxes. Those whose corners sum to 0 or less look like padding and are dropped."""
    return array_namespace(corners).sum(corners, axis=1) > 0


def tested_boxes(corners: Array, levels: Sequence[Level], rules: BoxRules) -> Array:
    """The boxes that centres are held against: (N, 4) `xyxy` px.

    below_first_stride, below_second_stride: a side shorter than that stride is enlarged to the second stride about its centre. Corners of
    all boxes then go through centre and size, which rounds them.

    Args:
        corners: (N, 4) `xyxy` px. levels: fine to coarse; a head of one level has no second stride, its only one stands for it.
    """
    if rules.small == "as_they_are":
        return corners
    xp = array_namespace(corners)
    second = levels[min(1, len(levels) - 1)].stride
    limit = levels[0].stride if rules.small == "below_first_stride" else second
    boxes = xyxy_to_cxcywh(corners)
    sides = boxes[:, 2:]
    short = (sides < limit) & taken(corners)[:, None]
    enlarged = xp.where(short, xp.full_like(sides, second), sides)
    return cxcywh_to_xyxy(xp.concat((boxes[:, :2], enlarged), axis=1))


def candidate_cells(corners: Array, levels: Sequence[Level], rules: BoxRules) -> Iterator[tuple[Array, Array, Array]]:
    """Of each level in turn the pairs of a box and a cell whose centre lies inside it: box, row, col, each (K,) int64, in that order.

    Args:
        corners: (N, 4) `xyxy` px.
    """
    boxes, known = tested_boxes(corners, levels, rules), taken(corners)
    for level in levels:
        box, row, col = cells_between(boxes[:, :2], boxes[:, 2:], *_grid(level), offset=0.5, margin=INSIDE_PX)
        kept = known[box]
        yield box[kept], row[kept], col[kept]


def reach(targets: Targets, levels: Sequence[Level], *, rules: BoxRules, reg_max: int) -> Reach:
    """Cells that are open to each box, counted without listing them.

    A side that is (reg_max - 1) stride or more from a cell's centre is beyond what that cell can express.

    Args:
        targets: boxes (N, 4) `cxcywh` in 0..1. rules: of the release. reg_max: bins a side, 1 for plain distances.
    """
    xp = array_namespace(targets.boxes)
    corners = corners_px(targets, levels, rules)
    boxes = tested_boxes(corners, levels, rules)
    kept = xp.astype(taken(corners), xp.int64)
    cells, near = [], []
    for level in levels:
        low, high = boxes[:, :2], boxes[:, 2:]
        cells.append(kept * count_between(low, high, *_grid(level), offset=0.5, margin=INSIDE_PX))
        if reg_max > 1:
            furthest = (reg_max - 1) * level.stride
            low, high = xp.maximum(low, corners[:, 2:] - furthest), xp.minimum(high, corners[:, :2] + furthest)
        near.append(kept * count_between(low, high, *_grid(level), offset=0.5, margin=INSIDE_PX))
    return Reach(xp.stack(cells, axis=1), xp.stack(near, axis=1))


def _grid(level: Level) -> tuple[tuple[int, int], tuple[float, float]]:
    return (level.rows, level.cols), (float(level.stride), float(level.stride))
