"""How often things occur on an anchor grid, in sums that add up exactly over shards, and the constant logits fitted to them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from detloss_cli.inputs.head import Channels, Head
from detloss_cli.losses.anchor_grid import GridRules
from detloss_cli.losses.elementwise import Form
from detloss_cli.losses.stack import Stack

BINS = 1 << 16  # of objectness targets, where more than their mean counts: the constant comes out to 1e-9
ONE = float(1 << 40)  # a share of 1 as a whole number, so that shares add up to the same whatever their order


@dataclass(frozen=True, slots=True)
class LevelRates:
    """One level of K batches.

    images: (K,) of each batch. reached: (K,) sums of the objectness targets over the slots won. bins: by images a batch, (BINS,) int64
    histogram of those targets; empty where their sums will do. classes: (C,) int64 shares of the classes among the rows, in `ONE`, summed
    over batches. with_rows: how many batches have a row.
    """

    images: Tensor
    reached: Tensor
    classes: Tensor
    with_rows: int
    bins: Mapping[float, Tensor] = field(default_factory=dict)

    def as_images_of(self, slots: int, own: int) -> LevelRates:
        """The rates of batches whose images have `own` slots as those of as many images of `slots` as have the same cells."""
        if own == slots:
            return self
        share = own / slots
        return replace(self, images=self.images * share, bins={size * share: counts for size, counts in self.bins.items()})


def level_rates(target: Tensor, wins: Tensor, cls: Tensor, batch: Tensor, stack: Stack, classes: int, obj: Form) -> LevelRates:
    """The rates of the rows of a level.

    Args:
        target: (P,) objectness target of each row. wins: (P,) bool, the rows whose target stands. cls, batch: (P,) int64. obj: the loss.
    """
    counts = torch.bincount(batch * classes + cls.long().cpu() % classes, minlength=stack.count * classes).view(stack.count, classes)
    shares, with_rows = fixed_shares(counts)
    bins: dict[float, Tensor] = {}
    if not obj.affine:
        place = (target[wins].detach().cpu().double() * BINS).long().clamp(0, BINS - 1)
        sizes = stack.sizes.long()
        for size in torch.unique(sizes).tolist():
            bins[size] = torch.bincount(place[sizes[batch[wins.cpu()]] == size], minlength=BINS)
    return LevelRates(stack.sizes, stack.sums(torch.where(wins, target, 0), batch), shares, with_rows, bins)


def fixed_shares(counts: Tensor) -> tuple[Tensor, int]:
    """Shares of the classes in each batch, summed over batches: (C,) int64 in `ONE`; and how many batches have a row.

    Args:
        counts: (K, C) rows by class.
    """
    rows = counts.sum(dim=1)
    return torch.round(counts.double() / rows.clamp(min=1)[:, None] * ONE).long().sum(dim=0), int((rows > 0).sum())


def joined_rates(parts: Sequence[LevelRates]) -> LevelRates:
    """The rates of all batches, in the order of the parts."""
    if not parts:
        return LevelRates(torch.zeros(0), torch.zeros(0), torch.zeros(0, dtype=torch.int64), 0)
    bins: dict[float, Tensor] = {}
    for part in parts:
        for size, counts in part.bins.items():
            bins[size] = bins[size] + counts if size in bins else counts
    return LevelRates(
        torch.cat([part.images for part in parts]),
        torch.cat([part.reached for part in parts]),
        torch.stack([part.classes for part in parts]).sum(dim=0),
        sum(part.with_rows for part in parts),
        bins,
    )


def fitted(head: Head, channels: Channels, prior: Sequence[Tensor], rates: Sequence[LevelRates], rules: GridRules) -> tuple[Tensor, ...]:
    """Per level the constant objectness and class logits that minimise the mean over batches; all else as in the prior."""
    found = []
    for level, bias, rate in zip(head.levels, prior, rates, strict=True):
        new, batches = bias.clone(), len(rate.images)
        if channels.obj is not None and batches:
            values, weights = _targets(rate, level.slots, rules.obj)
            new[:, channels.obj] = rules.obj.constant(values.to(bias)[:, None], weights.to(bias)[:, None])
        if rate.with_rows:
            share = (rate.classes.double() / ONE / rate.with_rows).to(bias)
            of_class = torch.tensor([[rules.present], [rules.absent]], dtype=bias.dtype, device=bias.device)
            new[:, channels.cls] = rules.cls.constant(of_class, torch.stack((share, 1 - share)))
        found.append(new)
    return tuple(found)


def _targets(rate: LevelRates, slots: int, obj: Form) -> tuple[Tensor, Tensor]:
    """Objectness targets and the share of the cells that has each, (V,) both; the shares add up to 1."""
    batches = len(rate.images)
    if obj.affine:
        each = (rate.reached / (rate.images * slots)).tolist()
        return torch.tensor([math.fsum(each) / batches], dtype=torch.float64), torch.ones(1, dtype=torch.float64)
    mass = torch.zeros(BINS, dtype=torch.float64)
    for size, counts in sorted(rate.bins.items()):
        mass += counts.double() / (slots * size * batches)
    values = torch.cat(((torch.arange(BINS, dtype=torch.float64) + 0.5) / BINS, torch.zeros(1, dtype=torch.float64)))
    return values, torch.cat((mass, (1 - mass.sum()).reshape(1)))
