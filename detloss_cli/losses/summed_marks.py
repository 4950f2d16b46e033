"""Heads that mark where a summed loss on an anchor grid can lie: the best constant logits, and the answers themselves."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from detloss_cli.geometry.decode import encode_exponential
from detloss_cli.losses.constant_logit import bce_minimum
from detloss_cli.losses.summed_grid import LevelGeometry, LevelRows, level_sums
from detloss_cli.predictions.synthetic import AnswerHead, ConstantHead

CERTAIN = 1e-6  # how near to 0 and 1 the answers come
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
    levels = [g.level for g in geometry]
    for index, g in enumerate(geometry):
        positives, empty = 0.0, 0.0
        for rows, count in zip(batches, images, strict=True):
            here = rows[index]
            free = ~level_sums(index, g, here, ConstantHead(found, levels, count), threshold).ignored
            free[here.slot] = False
            positives += here.truth.shape[0] / count
            empty += int(free.sum()) / count
        found[index][:, OBJ] = bce_minimum(torch.tensor(positives / max(positives + empty, 1e-12), dtype=torch.float64))
    return tuple(found)


def answer_head(geometry: Sequence[LevelGeometry], rows: Sequence[LevelRows], images: int) -> AnswerHead:
    """Each slot answers with the box, the size and the class bits that stand there; all other cells say no.

    A side that is not above 0 has no logit, a centre outside its cell neither: the answer is the nearest that there is.
    """
    bias, answers, slots = [], [], []
    for g, here in zip(geometry, rows, strict=True):
        quiet = torch.zeros((g.anchors.shape[0], OBJ + 1 + here.bits.shape[1]), dtype=here.truth.dtype, device=here.truth.device)
        quiet[:, OBJ:] = torch.logit(torch.full_like(quiet[:, OBJ:], CERTAIN))
        local = torch.cat((here.xy, here.truth[:, 2:] * g.input_wh), dim=1)
        says = torch.cat((torch.ones_like(here.truth[:, :1]), here.bits), dim=1).clamp(CERTAIN, 1 - CERTAIN)
        bias.append(quiet)
        answers.append(torch.cat((encode_exponential(local, g.anchors[here.slot[1]]), torch.logit(says)), dim=1))
        slots.append(here.slot)
    return AnswerHead(bias, [g.level for g in geometry], images, answers, slots)


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
