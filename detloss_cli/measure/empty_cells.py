"""The cells that no box won: how sure a head is of them, and which of them cost most."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from detloss_cli.facts.heads import SATURATED

SPAN, BINS = 32.0, 6400  # logits beyond +-32 share the outer bins; a bin is 0.01 wide
Cell = tuple[float, int, int, int, int, int]  # cost, level, image, anchor, row, col


@dataclass(slots=True)
class EmptyCells:
    """Sums over batches of one level's background: they merge exactly.

    histogram: (BINS,) of confidence logits. cells: how many. sure: sum of their probabilities. most: largest logit. alarms: logits of 0 and
    more. saturated: those beyond 9.21.
    """

    histogram: Tensor = field(default_factory=lambda: torch.zeros(BINS, dtype=torch.int64))
    cells: int = 0
    sure: float = 0.0
    most: float = -float("inf")
    alarms: int = 0
    saturated: int = 0

    def add(self, logits: Tensor) -> None:
        """Confidence logits of some cells, (K,)."""
        if not len(logits):
            return
        place = ((logits.double() + SPAN) * (BINS / (2 * SPAN))).long().clamp(0, BINS - 1)
        self.histogram += torch.bincount(place, minlength=BINS).cpu()
        self.cells += len(logits)
        self.sure += float(torch.sigmoid(logits.double()).sum())
        self.most = max(self.most, float(logits.max()))
        self.alarms += int((logits >= 0).sum())
        self.saturated += int((logits > SATURATED).sum())

    def merge(self, other: EmptyCells) -> None:
        """The cells of another count as well."""
        self.histogram = self.histogram + other.histogram
        self.cells, self.sure, self.most = self.cells + other.cells, self.sure + other.sure, max(self.most, other.most)
        self.alarms, self.saturated = self.alarms + other.alarms, self.saturated + other.saturated

    def separation(self, slots: Tensor) -> float | None:
        """Probability that one of these slots answers more surely than one of these cells; in one bin, half. None without either.

        Args:
            slots: (S,) confidence logits.
        """
        if not self.cells or not len(slots):
            return None
        place = ((slots.double() + SPAN) * (BINS / (2 * SPAN))).long().clamp(0, BINS - 1)
        below = torch.cumsum(self.histogram, 0) - self.histogram
        return float((below[place] + self.histogram[place] / 2).mean() / self.cells)


def empty(confidence: Tensor, slots: tuple[Tensor, ...]) -> Tensor:
    """(B, A, H, W) bool: cells that no row names.

    Args:
        confidence: (B, A, H, W). slots: image, anchor, row, col of the others.
    """
    free = torch.ones_like(confidence, dtype=torch.bool)
    return free.index_put(slots, free.new_zeros(()))


@dataclass(frozen=True, slots=True)
class Said:
    """What a head says in a cell. confidence: probability. cls: surest class. term: that the cell costs."""

    confidence: float
    cls: int
    term: str


@dataclass(slots=True)
class Costliest:
    """The cells that cost most, over levels and batches."""

    most: int
    heap: list[tuple[Cell, Said]] = field(default_factory=list)

    def add(self, level: int, first_image: int, cost: Tensor, said: Callable[[tuple[int, ...]], Said]) -> None:
        """One level of a batch.

        Args:
            first_image: of the batch. cost: (B, A, H, W). said: of image, anchor, row, col within the batch.
        """
        values, places = cost.flatten().topk(min(self.most, cost.numel()))
        for value, place in zip(values.tolist(), places.tolist(), strict=True):
            at = tuple(int(part) for part in torch.unravel_index(torch.tensor(place), cost.shape))
            image, anchor, row, col = at
            # the smallest of the heap goes first; among equals that is the later cell
            cell = (value, -level, -(first_image + image), -anchor, -row, -col)
            full = len(self.heap) == self.most
            if value <= 0 or (full and cell < self.heap[0][0]):
                break
            (heapq.heappushpop if full else heapq.heappush)(self.heap, (cell, said(at)))

    def merge(self, other: Costliest) -> None:
        """The cells of another as well."""
        self.heap = heapq.nlargest(self.most, [*self.heap, *other.heap], key=lambda pair: pair[0])
        heapq.heapify(self.heap)

    def worst_first(self) -> list[tuple[Cell, Said]]:
        """Cells as cost, level, image, anchor, row, col."""
        ranked = sorted(self.heap, key=lambda pair: pair[0], reverse=True)
        return [((cell[0], *(-part for part in cell[1:])), said) for cell, said in ranked]  # type: ignore[misc]
