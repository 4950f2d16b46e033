"""What every constant head of a grid of summed terms shares, batch by batch: each term is a polynomial of what its rows are held to.

Only the cells that are ignored depend on the boxes that the head says; they are counted for one set of boxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from detloss_cli.losses.bce import bce_with_logits
from detloss_cli.losses.constant_ignore import ignored_slots
from detloss_cli.losses.constant_logit import bce_minimum
from detloss_cli.losses.stack import LANES, Stack
from detloss_cli.losses.summed_grid import OBJ, LevelGeometry, LevelRows, predicted_boxes


@dataclass(frozen=True, slots=True)
class Moments:
    """Of K batches, sums over the rows of a level, weighted with their scale s. All float64.

    scale: (K,) of s. xy: (K, 2) of s xy. finite: (K, 2) of s where the log size is finite; wh, wh_squared: (K, 2) of s wh and s wh^2 there;
    broken: (K, 2) of s wh^2 elsewhere, which is infinite or NaN.
    """

    scale: Tensor
    xy: Tensor
    finite: Tensor
    wh: Tensor
    wh_squared: Tensor
    broken: Tensor


@dataclass(frozen=True, slots=True)
class Free:
    """(K,) int64 cells. loss: by overlaps in the dtype of the logits. fit: in float64, as the base rate is fitted to them."""

    loss: Tensor
    fit: Tensor


@dataclass(frozen=True, slots=True)
class SummedSums:
    """One level of K batches.

    images: (K,) float64 of each batch. count: (K,) int64 rows. loss: in the dtype of the logits; fit: in float64, what the base rate is
    fitted to. classes: (K, C) int32 class bits that are set. free: cells without a row that are not ignored at a `threshold` where the
    boxes are those of `box`, (4,) float64 logits, the same for all anchors.
    """

    images: Tensor
    count: Tensor
    loss: Moments
    fit: Moments
    classes: Tensor
    free: Free
    box: Tensor
    threshold: float


def moments(rows: LevelRows, batch: Tensor, stack: Stack) -> Moments:
    """The sums of some rows. batch: (P,) of each; rows beyond them only fill a column up."""

    def sums(values: Tensor) -> Tensor:
        return stack.sums(values[: len(batch)], batch)

    scale = rows.scale.double()
    wh = rows.wh.double()
    finite = wh.isfinite()
    number = torch.where(finite, wh, 0)
    columns = (
        scale[:, None] * rows.xy.double(),
        scale[:, None] * finite,
        scale[:, None] * number,
        scale[:, None] * number**2,
        torch.where(finite, 0, scale[:, None] * wh**2),
    )
    return Moments(sums(scale), *(torch.stack([sums(column[:, axis]) for axis in range(2)], dim=1) for column in columns))


def class_counts(bits: Tensor, level: Tensor, batch: Tensor, levels: int, stack: Stack) -> Tensor:
    """(L, K, C) int32 bits that are set.

    Args:
        bits: (P, C) 0 or 1. level, batch: (P,) of each row, on the host. levels: L.
    """
    row, cls = torch.nonzero(bits, as_tuple=True)
    shape = levels, stack.count, bits.shape[1]
    place = (level * stack.count + batch)[row.cpu()] * bits.shape[1] + cls.cpu()
    return torch.bincount(place, minlength=shape[0] * shape[1] * shape[2]).view(shape).int()


def free_cells(geometry: LevelGeometry, rows: LevelRows, count: int, box: Tensor, stack: Stack, threshold: float) -> Tensor:
    """(K,) int64 cells that have no row and are not ignored, where every cell says the same box in its own place.

    Args:
        rows: in the dtype that overlaps are computed in; the first `count` are no filling. box: (4,) logits.
    """
    anchors, level = geometry.anchors.shape[0], geometry.level
    logits = box.to(rows.truth).expand(anchors, OBJ)
    boxes = predicted_boxes(geometry, [logits[None, :, None, None, channel] for channel in range(OBJ)])
    image, anchor, row, col = (column[:count] for column in rows.slot)
    taken = ((image * anchors + anchor) * level.rows + row) * level.cols + col
    hit = ignored_slots(boxes, rows.truth[:count], image, threshold)
    cells = anchors * level.rows * level.cols
    covered = np.sort(torch.cat((hit, taken)).cpu().numpy())
    distinct = np.concatenate((covered[:1], covered[1:][covered[1:] != covered[:-1]]))
    return (stack.sizes * cells).long() - stack.counts(stack.batch(torch.from_numpy(distinct // cells)))


def joined(parts: Sequence[SummedSums]) -> SummedSums:
    """The batches of all parts, in their order."""
    loss, fit = (
        Moments(*(torch.cat([getattr(getattr(part, which), one.name) for part in parts]) for one in fields(Moments)))
        for which in ("loss", "fit")
    )
    images, count, classes = (torch.cat([getattr(part, name) for part in parts]) for name in ("images", "count", "classes"))
    return SummedSums(images, count, loss, fit, classes, joined_free([part.free for part in parts]), parts[0].box, parts[0].threshold)


def joined_free(parts: Sequence[Free]) -> Free:
    """The batches of all parts, in their order."""
    return Free(torch.cat([part.loss for part in parts]), torch.cat([part.fit for part in parts]))


def constant_terms(sums: SummedSums, logits: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """xy, wh, conf and cls of each batch, (K,) float64 each, of a head that says the same everywhere.

    Args:
        logits: (A, 5 + C), the same for all anchors, with the boxes that the sums were made with; in the dtype that the loss shall have.
    """
    # as many rows as vector code takes, so that its formula is that of a batch with many; the background is as short as a batch has it
    many = logits[:1].expand(LANES, -1).contiguous()
    no, yes = (_on_host(bce_with_logits(many, torch.full_like(many, target))[0]) for target in (0.0, 1.0))
    quiet = _on_host(bce_with_logits(logits[:, OBJ], torch.zeros_like(logits[:, OBJ]))[0])
    m, size = sums.loss, logits[0, 2:OBJ].detach().cpu().double()
    xy = (no[:2] * (m.scale[:, None] - m.xy) + yes[:2] * m.xy).sum(dim=1)
    wh = 0.5 * (m.wh_squared - 2 * size * m.wh + size**2 * m.finite + m.broken).sum(dim=1)
    conf = yes[OBJ] * sums.count + quiet * sums.free.loss
    present = sums.classes.double()
    cls = present @ (yes - no)[OBJ + 1 :] + sums.count * no[OBJ + 1 :].sum()
    return xy / sums.images, wh / sums.images, conf / sums.images, cls / sums.images


def fitted_box(sums: SummedSums) -> Tensor:
    """(4,) float64 logits of the boxes that minimise the mean over batches; 0 for what no row decides."""
    share = 1 / sums.images
    xy, wh = _mean(sums.fit.xy, sums.fit.scale[:, None], share), _mean(sums.fit.wh, sums.fit.finite, share)
    return torch.cat((bce_minimum(xy.nan_to_num(nan=0.5).clamp(0, 1)), wh.nan_to_num(nan=0.0)))


def fitted(sums: SummedSums) -> Tensor:
    """(5 + C,) float64 logits that minimise each term, from sums made with the fitted boxes."""
    share = 1 / sums.images
    bits = _mean(sums.classes.double(), sums.count[:, None].double(), share)
    positives, empty = _total(sums.count[:, None] * share[:, None]), _total(sums.free.fit[:, None] * share[:, None])
    conf = bce_minimum(positives / (positives + empty).clamp(min=1e-12))
    return torch.cat((sums.box, conf, bce_minimum(bits.nan_to_num(nan=0.5))))


def _mean(values: Tensor, weights: Tensor, share: Tensor) -> Tensor:
    return _total(values * share[:, None]) / _total(weights * share[:, None])


def _total(values: Tensor) -> Tensor:
    """(C,) sums of (K, C) in numpy, whose order no thread changes."""
    return torch.from_numpy(values.numpy().sum(axis=0))


def _on_host(values: Tensor) -> Tensor:
    return values.detach().cpu().double()
