"""Logits that mark where a summed loss on an anchor grid can lie: the best constant ones, and the answers themselves."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from detloss_cli.geometry.decode import encode_exponential
from detloss_cli.losses.bce import bce_with_logits
from detloss_cli.losses.constant_logit import bce_minimum
from detloss_cli.losses.summed_grid import LevelGeometry, LevelRows, level_sums
from detloss_cli.predictions.certain import CERTAIN

OBJ = 4


def constant_logits(
    geometry: Sequence[LevelGeometry], batches: Sequence[Sequence[LevelRows]], images: Sequence[int], threshold: float
) -> tuple[Tensor, ...]:
    """The logits that minimise each term of each level when all cells have the same, one (A, 5 + C) a level.

    Closed forms, each batch weighing 1 / its size: centre = logit of the mean of xy weighted with the scale, size = mean of the log size
    weighted alike (finite ones), class = logit of the share of the bit, confidence = logit of the share of boxes in the cells that count.
    The last depends on the cells that are ignored, that is on the constant boxes: these come first.

    Args:
        batches: for each batch the rows of each level. images: size of each batch. threshold: `ignore_thresh`.
    """
    found = [_box_and_class(g, [rows[index] for rows in batches], images) for index, g in enumerate(geometry)]
    for index, (g, logits) in enumerate(zip(geometry, found, strict=True)):
        planes = [logits[None, :, None, None, channel] for channel in range(OBJ + 1)]
        positives, empty = 0.0, 0.0
        for rows, count in zip(batches, images, strict=True):
            here = rows[index]
            free = ~level_sums(g, here, logits[here.slot[1]], planes, count, threshold).ignored
            free[here.slot] = False
            positives += here.truth.shape[0] / count
            empty += int(free.sum()) / count
        logits[:, OBJ] = bce_minimum(torch.tensor(positives / max(positives + empty, 1e-12), dtype=torch.float64))
    return tuple(found)


def answers(geometry: LevelGeometry, rows: LevelRows) -> tuple[Tensor, Tensor]:
    """What cells without a row say, (A, 5 + C), and the answer of each row, (P, 5 + C): the box, the size, the class bits that stand there.

    A side that is not above 0 has no logit, a centre outside its cell neither: the answer is the nearest that there is.
    """
    quiet = torch.zeros((geometry.anchors.shape[0], OBJ + 1 + rows.bits.shape[1]), dtype=rows.truth.dtype, device=rows.truth.device)
    quiet[:, OBJ:] = torch.logit(torch.full_like(quiet[:, OBJ:], CERTAIN))
    says = torch.cat((torch.ones_like(rows.truth[:, :1]), rows.bits), dim=1).clamp(CERTAIN, 1 - CERTAIN)
    return quiet, torch.cat((box_answers(geometry, rows), torch.logit(says)), dim=1)


def box_answers(geometry: LevelGeometry, rows: LevelRows) -> Tensor:
    """The box that each row answers, (P, 4) logits."""
    local = torch.cat((rows.xy, rows.truth[:, 2:] * geometry.input_wh), dim=1)
    return encode_exponential(local, geometry.anchors[rows.slot[1]])


def certain_losses() -> tuple[Tensor, Tensor]:
    """BCE of an answer that says no, and of one that says yes, each where it is right: () float64 both."""
    no, yes = torch.logit(torch.tensor([CERTAIN, 1 - CERTAIN], dtype=torch.float64))
    return bce_with_logits(no, torch.zeros_like(no)), bce_with_logits(yes, torch.ones_like(yes))


def _box_and_class(geometry: LevelGeometry, batches: Sequence[LevelRows], images: Sequence[int]) -> Tensor:
    """(A, 5 + C), confidence still 0; 0 for what no row decides."""
    share = torch.cat([torch.full_like(rows.scale, 1 / count) for rows, count in zip(batches, images, strict=True)])
    scale = torch.cat([rows.scale for rows in batches]) * share
    xy = _mean(torch.cat([rows.xy for rows in batches]), scale)
    wh = _mean(torch.cat([rows.wh for rows in batches]), scale)
    bits = _mean(torch.cat([rows.bits for rows in batches]), share)
    centre = bce_minimum(xy.nan_to_num(nan=0.5).clamp(0, 1))
    row = torch.cat((centre, wh.nan_to_num(nan=0.0), torch.zeros_like(wh[:1]), bce_minimum(bits.nan_to_num(nan=0.5))))
    return row.expand(geometry.anchors.shape[0], -1).clone()


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    """(K,) weighted mean of the finite rows of (P, K); NaN without any."""
    finite = values.isfinite()
    spread = weights[:, None] * finite
    return torch.where(finite, values, torch.zeros_like(values)).mul(spread).sum(dim=0) / spread.sum(dim=0)
