"""The four sums of a level with anchors and objectness: centre BCE, squared log size, confidence with ignored cells, one BCE a class.

Source: behaviour of qqwweee/keras-yolo3@e6598d1, after YOLOv3, arXiv 1804.02767.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from detloss_cli.geometry.decode import decode_exponential
from detloss_cli.inputs.head import Level
from detloss_cli.losses.bce import bce_with_logits
from detloss_cli.losses.ignore import ignored_cells
from detloss_cli.losses.log_wh import log_wh_squared, log_wh_target

OBJ = 4


@dataclass(frozen=True, slots=True)
class LevelGeometry:
    """One level and what its logits stand for. anchors: (A, 2) pixels. input_wh: (2,) pixels of the network input."""

    level: Level
    anchors: Tensor
    input_wh: Tensor


@dataclass(frozen=True, slots=True)
class LevelRows:
    """The positives of one level. P rows, no slot twice.

    slot: image, anchor, row, col, each (P,) int64. truth: (P, 4) centre and size in 0..1 of the network input. xy: (P, 2) centre in
    cells, relative to the slot's cell. wh: (P, 2) logits of the size. scale: (P,) 2 - w h, more for small boxes. bits: (P, C) 0 or 1.
    """

    slot: tuple[Tensor, Tensor, Tensor, Tensor]
    truth: Tensor
    xy: Tensor
    wh: Tensor
    scale: Tensor
    bits: Tensor


@dataclass(frozen=True, slots=True)
class RowTerms:
    """Unreduced terms of the positives of one level: (P,) each."""

    xy: Tensor
    wh: Tensor
    conf: Tensor
    cls: Tensor


@dataclass(frozen=True, slots=True)
class LevelSums:
    """Unreduced terms of one level. rows: of its positives. background: () of all cells without a row that are not ignored.

    ignored: (B, A, H, W) bool, those of the positives included.
    """

    rows: RowTerms
    background: Tensor
    ignored: Tensor


def level_rows(geometry: LevelGeometry, slot: tuple[Tensor, Tensor, Tensor, Tensor], values: Tensor) -> LevelRows:
    """What each positive of a level is held to.

    xy = truth (cols, rows) - cell; wh = log(truth / anchor input); scale = 2 - w h.

    Args:
        slot: image, anchor, row, col, each (P,) int64. values: (P, 5 + C) box in 0..1 of the input, 1, class bits; in the logits' dtype.
    """
    truth = values[:, :OBJ]
    cell = torch.stack((slot[3], slot[2]), dim=1).to(values.dtype)
    xy = truth[:, :2] * _grid_wh(geometry) - cell
    wh = log_wh_target(truth[:, 2:], geometry.anchors[slot[1]], geometry.input_wh)
    return LevelRows(slot, truth, xy, wh, 2 - truth[:, 2] * truth[:, 3], values[:, OBJ + 1 :])


def level_sums(
    geometry: LevelGeometry, rows: LevelRows, logits: Tensor, planes: Sequence[Tensor], images: int, threshold: float
) -> LevelSums:
    """The terms of one level, before they are summed and divided by the batch size: conf is BCE(t_o, 0) where no row is, unless ignored.

    Args:
        logits: (P, 5 + C) at the rows. planes: x, y, w, h and objectness of all cells, each (B, A, H, W), or (1, A, 1, 1) where it is
            constant. images: B. threshold: `ignore_thresh`.
    """
    ignored = ignored_cells(predicted_boxes(geometry, planes[:OBJ]), rows.truth, rows.slot[0], images, threshold)
    taken = torch.zeros_like(ignored).index_put(rows.slot, torch.ones_like(rows.slot[0], dtype=torch.bool))
    empty = bce_with_logits(planes[OBJ], torch.zeros_like(planes[OBJ])) * (~ignored & ~taken)
    return LevelSums(row_terms(rows, logits), empty.sum(), ignored)


def row_terms(rows: LevelRows, logits: Tensor) -> RowTerms:
    """What each positive of a level adds: conf = BCE(t_o, 1); cls = sum_c BCE(t_c, bit_c); the others are those of `box_terms`.

    Args:
        logits: (P, 5 + C).
    """
    objectness = logits[:, OBJ]
    return RowTerms(
        *box_terms(rows, logits[:, :OBJ]),
        conf=bce_with_logits(objectness, torch.ones_like(objectness)),
        cls=bce_with_logits(logits[:, OBJ + 1 :], rows.bits).sum(dim=1),
    )


def box_terms(rows: LevelRows, logits: Tensor) -> tuple[Tensor, Tensor]:
    """What the box of each positive adds, (P,) both: xy = scale BCE(t_xy, xy); wh = scale 0.5 (wh - t_wh)^2.

    Args:
        logits: (P, 4).
    """
    xy = rows.scale * bce_with_logits(logits[:, :2], rows.xy).sum(dim=1)
    return xy, rows.scale * log_wh_squared(logits[:, 2:], rows.wh).sum(dim=1)


def predicted_boxes(geometry: LevelGeometry, planes: Sequence[Tensor]) -> Tensor:
    """(B, A, H, W, 4) centre and size in 0..1 of the network input: xy = (sigmoid(t) + cell) / grid, wh = exp(t) anchor / input.

    (1, A, H, W, 4) where all images have the same. No gradient: the boxes only decide which cells are ignored.

    Args:
        planes: x, y, w, h as in `level_sums`.
    """
    with torch.no_grad():
        raw = torch.stack(tuple(planes), dim=-1)
        sides = geometry.anchors[None, :, None, None, :].expand(*raw.shape[:-1], 2)
        local = decode_exponential(raw.reshape(-1, OBJ), sides.reshape(-1, 2), limit=float("inf")).reshape(raw.shape)
        cols = torch.arange(geometry.level.cols, dtype=raw.dtype, device=raw.device)
        rows = torch.arange(geometry.level.rows, dtype=raw.dtype, device=raw.device)
        cell = torch.stack(torch.meshgrid(cols, rows, indexing="xy"), dim=-1)
        xy = (local[..., :2] + cell) / _grid_wh(geometry)
        return torch.cat((xy, (local[..., 2:] / geometry.input_wh).expand_as(xy)), dim=-1)


def _grid_wh(geometry: LevelGeometry) -> Tensor:
    return geometry.input_wh.new_tensor([geometry.level.cols, geometry.level.rows])
