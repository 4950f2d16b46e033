"""The head whose loss is computed: one of the marks, or noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from detloss_cli.families.interface import BatchTargets, Family
from detloss_cli.inputs.head import Head
from detloss_cli.measure.batches import Batch
from detloss_cli.predictions.interface import Predictions
from detloss_cli.predictions.synthetic import ConstantHead, NoiseHead
from detloss_cli.targets.assignment import Assignment

CONSTANT = ("prior", "base-rate", "zero")
HEADS = (*CONSTANT, "perfect", "noise")


def constant_bias(
    kind: str, family: Family, head: Head, hyp: Any, profile: str, batches: Sequence[BatchTargets], device: torch.device, dtype: torch.dtype
) -> tuple[Tensor, ...]:
    """Logits of a constant head, one (A, C) a level.

    Args:
        kind: one of `CONSTANT`. batches: what the base rate is fitted to; read by no other kind.
    """
    bias = family.base_rate(head, hyp, profile, batches) if kind == "base-rate" else family.prior(head, hyp, profile)
    if kind == "zero":
        bias = zero_like(bias)
    return tuple(level.to(device=device, dtype=dtype) for level in bias)


def zero_like(bias: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Logits of 0 in their place."""
    return tuple(torch.zeros_like(level) for level in bias)


def constant_head(bias: Sequence[Tensor], head: Head, images: int) -> ConstantHead:
    """A batch of a constant head."""
    return ConstantHead(bias, head.levels, images)


def noise_head(
    head: Head, channels: int, batch: Batch, anchors: Sequence[int], seed: int, device: torch.device, dtype: torch.dtype
) -> NoiseHead:
    """A batch of standard normal logits.

    Args:
        anchors: A of each level. channels: C.
    """
    images = batch.targets.images
    return NoiseHead(head.levels, anchors, channels, images, seed=seed, first_image=batch.first_image, dtype=dtype, device=device)


def perfect_head(family: Family, head: Head, hyp: Any, profile: str, batch: Batch, assignment: Assignment) -> Predictions:
    """A batch of the answers themselves."""
    return family.perfect(head, hyp, profile, batch.targets, assignment)
