"""Whole batches of a data set side by side: reduced batch by batch, computed at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

# Vector code treats the last few elements of a column by another formula for exp and atan. Columns of a multiple of this have no such
# rest, so that a row's bits do not depend on where in a stack it stands.
LANES = 64
MOST_ROWS = 1 << 16  # of a column that is made and summed at once, unless a single batch has more


@dataclass(frozen=True, slots=True)
class Stack:
    """images: of all batches. size: of each batch but perhaps the last, which is smaller. K batches."""

    images: int
    size: int

    @property
    def count(self) -> int:
        """K."""
        return -(-self.images // self.size)

    @property
    def sizes(self) -> Tensor:
        """(K,) float64 images of each batch."""
        starts = torch.arange(self.count, dtype=torch.float64) * self.size
        return (self.images - starts).clamp(max=self.size)

    def batch(self, image: Tensor) -> Tensor:
        """(P,) int64 batch of each row, on the host.

        Args:
            image: (P,) int64 of each row, counted through all batches.
        """
        return image.cpu() // self.size

    def counts(self, batch: Tensor) -> Tensor:
        """(K,) int64 rows of each batch. batch: (P,)."""
        return torch.bincount(batch, minlength=self.count)

    def sums(self, values: Tensor, batch: Tensor) -> Tensor:
        """(K,) float64 sums of each batch, its rows added one by one in their order: whatever stands beside it, the bits are the same.

        Args:
            values, batch: (P,).
        """
        return torch.bincount(batch, weights=values.detach().cpu().double(), minlength=self.count)


@dataclass(frozen=True, slots=True)
class StackedTerm:
    """One term at one level of K batches. name, level, gain: as `Term`. raw: (K,) float64. count: (K,) int64."""

    name: str
    level: int | None
    raw: Tensor
    gain: float
    count: Tensor


@dataclass(frozen=True, slots=True)
class StackedLoss:
    """The loss of K batches, each for itself.

    factors: (K,) what the trainer multiplies each total with. objectness: for each level the (K,) sums of the objectness targets over the
    slots that a row has won, and the (K,) number of those; empty where a family has none. balance: objectness weights of the levels.
    maps: what each batch shows of its heat maps.
    """

    terms: tuple[StackedTerm, ...]
    factors: Tensor
    objectness: tuple[tuple[Tensor, Tensor], ...] = ()
    balance: tuple[float, ...] | None = None
    maps: tuple[Sequence[Mapping[str, Any]], ...] = ()


def filled_up(rows: Tensor) -> Tensor:
    """An index of rows whose length is a multiple of `LANES`, the last row repeated; nothing for none."""
    return torch.cat((rows, rows[-1:].expand(-rows.shape[0] % LANES)))


def batch_sums(column: Callable[[slice], Tensor], counts: Tensor) -> Tensor:
    """(K,) float64 sums of a column that is made for some batches at a time, the rows of each added one by one in their order.

    Args:
        column: makes the float64 values of some rows. counts: (K,) int64 rows of each batch.
    """
    edges = torch.cat((torch.zeros_like(counts[:1]), counts.cumsum(0)))
    found, first = [torch.zeros(0, dtype=torch.float64)], 0
    while first < len(counts):
        start = int(edges[first])
        last = max(first + 1, int(torch.searchsorted(edges, start + MOST_ROWS, right=True)) - 1)
        batch = torch.repeat_interleave(torch.arange(last - first), counts[first:last])
        found.append(torch.bincount(batch, weights=column(slice(start, int(edges[last]))), minlength=last - first))
        first = last
    return torch.cat(found)
