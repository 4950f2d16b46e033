"""The Gaussian of a key point: how far it reaches for a box, in the three public forms, and its values. numpy and torch alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from array_api_compat import array_namespace, device

Array = Any
RadiusForm = Literal["xingyizhou", "zzzxxxttt", "cornernet"]


def gaussian_radius(height: Array, width: Array, min_overlap: float, form: RadiusForm) -> Array:
    """How far a corner may move before the box overlaps less than asked: the smallest of three cases, by one of three public formulas.

    S = h + w, A = h w, o the overlap: q1 = sqrt(S^2 - 4 A (1 - o) / (1 + o)), q2 = sqrt(4 S^2 - 16 (1 - o) A),
    q3 = sqrt(4 o^2 S^2 + 16 o (1 - o) A); r = min of

        cornernet    (S - q1) / 2    (2 S - q2) / 8    (q3 - 2 o S) / (8 o)
        zzzxxxttt    (S - q1) / 2    (2 S - q2) / 8    (q3 - 2 o S) / 2
        xingyizhou   (S + q1) / 2    (2 S + q2) / 2    (q3 - 2 o S) / 2

    Args:
        height, width: (N,) sides in cells, whole numbers as the trainers take them. min_overlap: o, in (0, 1).
        form: whose formula.
    Returns:
        (N,) float64 radius in cells, before it is truncated.

    Source: arXiv 1808.01244; princeton-vl/CornerNet@e5c39a3.
    Differs: only `cornernet` takes the roots that the three cases have. xingyizhou/CenterNet@4c50fd3 divides each by 2 and adds q1 and q2;
        zzzxxxttt/pytorch_simple_CenterNet_45@236cef1 divides the third by 2. The tables are in docs/families/centernet.md.
    """
    xp = array_namespace(height, width)
    h, w = xp.astype(height, xp.float64), xp.astype(width, xp.float64)
    side = h + w
    # the products are taken in the order of the originals: a radius that is whole in exact maths is truncated
    root1 = _sqrt(side * side - 4 * (w * h * (1 - min_overlap) / (1 + min_overlap)))
    root2 = _sqrt((2 * side) * (2 * side) - 16 * ((1 - min_overlap) * w * h))
    linear3 = -2 * min_overlap * side
    root3 = _sqrt(linear3 * linear3 - 4 * (4 * min_overlap) * ((min_overlap - 1) * w * h))
    first, second, third = _COMBINE[form](side, root1, 2 * side, root2, linear3, root3, min_overlap)
    least = xp.where(second < first, second, first)
    return xp.where(third < least, third, least)  # a negative side makes the third nan, and the least of the others stands


def whole_radius(radius: Array) -> Array:
    """The radius that is drawn: max(0, trunc(r)), (N,) int64."""
    xp = array_namespace(radius)
    return xp.astype(xp.clip(xp.trunc(radius), 0), xp.int64)


@dataclass(frozen=True, slots=True)
class Window:
    """The cells of all Gaussians, one row a cell. owner: (T,) which Gaussian. row, col: (T,) cell. value: (T,) float32."""

    owner: Array
    row: Array
    col: Array
    value: Array


def window_sizes(x: Array, y: Array, radius: Array, rows: int, cols: int) -> tuple[Array, Array]:
    """Columns and rows of each Gaussian's window that lie on the map, (N,) each; 0 or less: none does.

    left = min(x, r), right = min(cols - x, r + 1), and so on: a centre beyond the map still draws what reaches into it.
    """
    xp = array_namespace(x)
    reach_x, reach_y = xp.full_like(x, cols), xp.full_like(y, rows)
    wide = xp.minimum(x, radius) + xp.minimum(reach_x - x, radius + 1)
    high = xp.minimum(y, radius) + xp.minimum(reach_y - y, radius + 1)
    return wide, high


def gaussian_windows(x: Array, y: Array, radius: Array, rows: int, cols: int) -> Window:
    """Every Gaussian on the cells of its window: exp(-(dx^2 + dy^2) / (2 s^2)), s = (2 r + 1) / 6, for |dx|, |dy| <= r.

    Taken in float64 and stored in float32, 1 exactly at the centre. The originals set values below 2.2e-16 to 0; at the
    corner of the window the exponent is above -9, so none ever is.

    Args:
        x, y: (N,) int64 cell of the centre. radius: (N,) int64 cells. rows, cols: of the map.
    """
    xp = array_namespace(x)
    where = device(x)
    wide, high = window_sizes(x, y, radius, rows, cols)
    zero = xp.zeros_like(wide)
    area = xp.where((wide > 0) & (high > 0), wide * high, zero)
    owner = xp.repeat(xp.arange(x.shape[0], dtype=xp.int64, device=where), area)
    start = xp.cumulative_sum(area) - area
    within = xp.arange(owner.shape[0], dtype=xp.int64, device=where) - start[owner]
    dx = within % wide[owner] - xp.minimum(x, radius)[owner]
    dy = within // wide[owner] - xp.minimum(y, radius)[owner]
    sigma = xp.astype(2 * radius[owner] + 1, xp.float64) / 6
    squared = xp.astype(dx * dx + dy * dy, xp.float64)
    value = xp.astype(xp.exp(-squared / (2 * sigma * sigma)), xp.float32)
    return Window(owner, y[owner] + dy, x[owner] + dx, value)


def _sqrt(value: Array) -> Array:
    """The square root rounded to the nearest: one step of Newton with an exact square.

    torch may be off by one in the last place where numpy is not, which is enough to move a radius that is whole in exact maths.
    """
    xp = array_namespace(value)
    root = xp.sqrt(value)
    scaled = root * 134217729.0  # 2^27 + 1 splits a double in two halves whose products are exact
    high = scaled - (scaled - root)
    low = root - high
    square = root * root
    rest = ((high * high - square) + 2 * high * low) + low * low
    step = ((value - square) - rest) / (2 * xp.where(root > 0, root, xp.ones_like(root)))
    return root + step


_Roots = tuple[Array, Array, Array]
_COMBINE: dict[RadiusForm, Callable[[Array, Array, Array, Array, Array, Array, float], _Roots]] = {
    "xingyizhou": lambda b1, q1, b2, q2, b3, q3, _: ((b1 + q1) / 2, (b2 + q2) / 2, (b3 + q3) / 2),
    "zzzxxxttt": lambda b1, q1, b2, q2, b3, q3, _: ((b1 - q1) / 2, (b2 - q2) / 8, (b3 + q3) / 2),
    "cornernet": lambda b1, q1, b2, q2, b3, q3, o: ((b1 - q1) / 2, (b2 - q2) / 8, (b3 + q3) / (2 * (4 * o))),
}
