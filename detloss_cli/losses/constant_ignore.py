"""Which slots a head ignores that says the same in every cell of an anchor: boxes of one size, a cell apart.

Two boxes of known sizes reach an IoU only where their centres are near: a few cells a box are looked at, not a whole level.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from detloss_cli.geometry.iou import iou
from detloss_cli.losses.ignore import GIVEN_SIDES

CELLS_AT_ONCE = 1 << 16  # of pairs of a true box and a cell: what bounds memory
ROUNDING = 2e-6  # how far a corner may be off in float32, relative to the numbers that it is made of
LEAST_AREA = 1e-30  # below it float32 areas vanish, and 0 / 0 ignores a cell


@dataclass(frozen=True, slots=True)
class Reach:
    """Of P true boxes and A anchors, the cells that may reach the threshold: a block of cells each. All (P, A) int64."""

    col: Tensor
    row: Tensor
    cols: Tensor
    rows: Tensor


def ignored_slots(boxes: Tensor, truth: Tensor, image: Tensor, threshold: float) -> Tensor:
    """Slots that `ignored_cells` ignores, one number each, once for each true box that they reach: ((image A + anchor) H + row) W + col.

    Args:
        boxes: (1, A, H, W, 4) predicted centre and size, of one size and a cell apart for each anchor. truth: (P, 4) centre and size,
            same unit. image: (P,) int64. threshold: in 0..1, reached is ignored.
    """
    _, anchors, rows, cols, _ = boxes.shape
    each = boxes.reshape(-1, 4)
    reach = reachable(boxes, truth, threshold)
    found = [image[:0]]
    for pair, row, col in _cells(reach):
        owner = pair // anchors
        cell = ((pair - owner * anchors) * rows + row) * cols + col
        overlap = iou(each[cell], truth[owner], form=GIVEN_SIDES, frame="cxcywh")
        hit = torch.nonzero(~(overlap < threshold)).squeeze(1)
        found.append(image[owner[hit]] * len(each) + cell[hit])
    return torch.cat(found)


def reachable(boxes: Tensor, truth: Tensor, threshold: float) -> Reach:
    """The cells that may reach the threshold, and some more. All of them for a box whose area is not above 0 or not finite.

    An overlap of o x p of areas a and b has the IoU t where o p = t / (1 + t) (a + b), and p is at most the smaller height: so o has a
    least value, and the centres a largest distance, (w + w') / 2 - o. Arguments as in `ignored_slots`.
    """
    areas = boxes[0, :, 0, 0, 2:].prod(dim=-1) + truth[:, None, 2:].prod(dim=-1)
    box, true = boxes[0].double(), truth.double()
    size, wanted = box[:, 0, 0, 2:], true[:, None, 2:]
    slack = (ROUNDING * (1 + true.abs().amax(dim=1)[:, None] + size.amax(dim=-1)))[..., None]
    usual = areas.isfinite() & (areas > LEAST_AREA) & slack[..., 0].isfinite() & (threshold > 0)
    share = max(threshold, 0) / (1 + max(threshold, 0)) * (1 - ROUNDING) * areas.double()
    smaller = torch.minimum(size, wanted) + slack
    least = share[..., None] / smaller.flip(-1)
    away = (size + wanted) / 2 + slack - least
    near = (least <= smaller).all(dim=-1)

    _, rows, cols, _ = box.shape
    count = box.new_tensor([cols, rows])
    start = torch.stack((box[:, 0, 0, 0] * cols, box[:, 0, 0, 1] * rows), dim=-1)
    first = torch.ceil((true[:, None, :2] - away) * count - start).nan_to_num(nan=0).clamp(min=0).minimum(count)
    last = torch.floor((true[:, None, :2] + away) * count - start).nan_to_num(nan=-1).clamp(min=-1).minimum(count - 1)
    first = torch.where(usual[..., None], first, 0).long()
    length = torch.where(usual[..., None], (last + 1 - first).clamp(min=0) * near[..., None], count).long()
    return Reach(*first.unbind(-1), *length.unbind(-1))


def _cells(reach: Reach) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Every cell of every pair in turn: the pair, counted through (P, A), row and column, `CELLS_AT_ONCE` or one pair at a time."""
    count = (reach.cols * reach.rows).flatten()
    pairs = torch.nonzero(count).squeeze(1)
    ends = count[pairs].cumsum(0)
    starts = ends - count[pairs]
    col, cols, row = (column.flatten()[pairs] for column in (reach.col, reach.cols, reach.row))
    done, before = 0, 0
    while done < len(pairs):
        stop = max(done + 1, int(torch.searchsorted(ends, before + CELLS_AT_ONCE, right=True)))
        part = slice(done, stop)
        owner = torch.repeat_interleave(torch.arange(done, stop, device=pairs.device), count[pairs[part]])
        place = torch.arange(before, before + len(owner), device=pairs.device) - starts[owner]
        down = place // cols[owner]
        yield pairs[owner], row[owner] + down, col[owner] + place - down * cols[owner]
        done, before = stop, int(ends[stop - 1])
