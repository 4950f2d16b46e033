"""Distances to the four sides of a box, as a distribution over bins or plain, and what they cost.

Source: arXiv 2006.04388, section 3.2 (Distribution Focal Loss); clamps and guards as in ultralytics 8.1.0 to 8.4.190.
"""

from __future__ import annotations

import torch
from torch import Tensor

SHORT_OF_LAST_BIN = 0.01  # keeps the bin above a target inside the distribution


def side_distances(raw: Tensor, reg_max: int) -> Tensor:
    """Expected distance of each side: sum_k k softmax(logits)_k, or the raw value where there is a single bin.

    Args:
        raw: (P, 4 R) logits, R of each side in turn. reg_max: R.

    Returns:
        (P, 4) left, top, right, bottom, cells.
    """
    if reg_max <= 1:
        return raw
    bins = torch.arange(reg_max, dtype=raw.dtype, device=raw.device)
    return raw.reshape(-1, 4, reg_max).softmax(-1) @ bins


def distribution_loss(raw: Tensor, distance: Tensor, reg_max: int) -> Tensor:
    """Cross entropy with the two bins next to the distance, weighted by nearness, mean over the sides: (P,).

    L = (k + 1 - d) CE(z, k) + (d - k) CE(z, k + 1), k = floor(d), d clamped to [0, R - 1 - 0.01].

    Args:
        raw: (P, 4 R) logits. distance: (P, 4) targets, cells. reg_max: R, above 1.
    """
    below, share = _bins(distance, reg_max)
    log_p = raw.reshape(-1, 4, reg_max).log_softmax(-1)
    lower, upper = log_p.gather(-1, below[..., None]).squeeze(-1), log_p.gather(-1, below[..., None] + 1).squeeze(-1)
    return -(lower * (1 - share) + upper * share).mean(-1)


def side_l1(predicted: Tensor, distance: Tensor, stride: int, imgsz: tuple[int, int]) -> Tensor:
    """Mean over the sides of |predicted - target| as a part of the input's width or height: (P,).

    Args:
        predicted, distance: (P, 4) left, top, right, bottom, cells. stride: px. imgsz: height and width of the network input, px.
    """
    height, width = imgsz
    size = torch.tensor([width, height, width, height], dtype=predicted.dtype, device=predicted.device)
    return ((predicted * stride / size) - (distance * stride / size)).abs().mean(-1)


def answer_logits(distance: Tensor, reg_max: int, least: float = 1e-9) -> Tensor:
    """The logits for which `distribution_loss` is smallest: log of the two weights, log(least) elsewhere; distances where R is 1.

    Args:
        distance: (P, 4) cells. reg_max: R. least: stands for a probability of 0.

    Returns:
        (P, 4 R).
    """
    if reg_max <= 1:
        return distance
    below, share = _bins(distance, reg_max)
    p = torch.zeros((*distance.shape, reg_max), dtype=distance.dtype, device=distance.device)
    p = p.scatter(-1, below[..., None], (1 - share)[..., None]).scatter(-1, below[..., None] + 1, share[..., None])
    return p.clamp(min=least).log().flatten(1)


def _bins(distance: Tensor, reg_max: int) -> tuple[Tensor, Tensor]:
    """The bin below each distance and how far above it the distance lies, (P, 4) each."""
    clamped = distance.clamp(0, reg_max - 1 - SHORT_OF_LAST_BIN)
    below = clamped.long()
    return below, clamped - below
