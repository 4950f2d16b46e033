"""The four summed terms of a grid with anchors and objectness, for many batches at once, on heads that are never built.

Constant heads come of sums; the perfect head row by row, with the functions of a single batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from detloss_cli.inputs.head import Head
from detloss_cli.losses.stack import Stack, StackedLoss, StackedTerm, filled_up
from detloss_cli.losses.summed_grid import OBJ, LevelGeometry, LevelRows, RowTerms, box_terms, level_rows, row_terms
from detloss_cli.losses.summed_marks import answers, box_answers, certain_losses
from detloss_cli.losses.summed_sums import (
    Free,
    SummedSums,
    class_counts,
    constant_terms,
    fitted,
    fitted_box,
    free_cells,
    joined,
    joined_free,
    moments,
)
from detloss_cli.targets.assignment import Assignment, Targets

TERMS = ("xy", "wh", "conf", "cls")
EXACT = torch.float64


@dataclass(frozen=True, slots=True)
class SummedStack:
    """What a family puts in.

    prior: (A, 5 + C) float64 logits a level, the same for all anchors. geometry: a tensor of the dtype and device wanted to that of each
    level. values: (P, 5 + C) what stands at each row. threshold: `ignore_thresh`.
    """

    head: Head
    prior: Sequence[Tensor]
    geometry: Callable[[Tensor], Sequence[LevelGeometry]]
    values: Callable[[Targets, Assignment], Tensor]
    threshold: float

    @property
    def in_sums(self) -> bool:
        """Always: BCE is a straight line in its target, and the squared log size a parabola."""
        return True

    @property
    def perfect_in_sums(self) -> bool:
        """No: it answers slot by slot."""
        return False

    def sums(self, targets: Targets, assignment: Assignment, stack: Stack, dtype: torch.dtype) -> tuple[SummedSums, ...]:
        """Of each level, with the cells that the prior's boxes leave free. dtype: of the logits."""
        values = self.values(targets, assignment)
        loss, fit = self.rows(assignment, values, dtype), self.rows(assignment, values, EXACT)
        found, classes = [], self._counts(assignment, values, stack)
        for index, ((geometry, rows, count), (_, exact, _)) in enumerate(zip(loss, fit, strict=True)):
            box, batch = self.prior[index][0, :OBJ], stack.batch(rows.slot[0][:count])
            free = free_cells(geometry, rows, count, box, stack, self.threshold)
            two = moments(rows, batch, stack), moments(exact, batch, stack)
            found.append(SummedSums(stack.sizes, stack.counts(batch), *two, classes[index], Free(free, free), box, self.threshold))
        return tuple(found)

    def joined_sums(self, parts: Sequence[tuple[SummedSums, ...]]) -> tuple[SummedSums, ...]:
        """The sums of all stacks as those of one, level by level."""
        return tuple(joined(level) for level in zip(*parts, strict=True))

    def moved_of(self, sums: Sequence[SummedSums]) -> MovedBoxes:
        """The second pass of the base rate: which cells its boxes ignore has to be counted before the rest can be fitted."""
        return MovedBoxes(self, tuple(replace(level, box=fitted_box(level)) for level in sums))

    def rates_of(self, sums: tuple[SummedSums, ...]) -> tuple[SummedSums, ...]:
        """The sums themselves, made with the boxes of the base rate."""
        return sums

    def base_rate(self, rates: Sequence[SummedSums]) -> tuple[Tensor, ...]:
        """The constant logits that minimise each term of each level: (A, 5 + C) float64 a level."""
        return tuple(fitted(level).expand(len(prior), -1).clone() for prior, level in zip(self.prior, rates, strict=True))

    def constant_of(self, bias: Sequence[Tensor] | None, sums: Sequence[SummedSums]) -> StackedLoss:
        """The loss of a constant head from the sums.

        Raises:
            ValueError: no logits, or ones with other boxes than the sums were made with or that are not the same for all anchors of a
                level; sums at another threshold.
        """
        if bias is None:
            raise ValueError("expected logits: the perfect head does not follow from sums")
        parts = []
        for logits, level in zip(bias, sums, strict=True):
            same = torch.equal(logits, logits[:1].expand_as(logits)) and torch.equal(logits[0, :OBJ], level.box.to(logits))
            if not same or level.threshold != self.threshold:
                raise ValueError("expected the boxes that the sums were made with and the same logits for all anchors of a level")
            parts.append((constant_terms(level, logits), level.count))
        return _loss(parts, sums[0].images)

    def loss(
        self, bias: Sequence[Tensor] | None, targets: Targets, assignment: Assignment, stack: Stack, *, rates: bool = False
    ) -> tuple[StackedLoss, None]:
        """The loss of the head that answers each slot with its winning row, and everything else with no.

        Raises:
            ValueError: logits of a constant head, whose loss follows from the sums.
        """
        if bias is not None or rates:
            raise ValueError("expected the perfect head: constant ones follow from sums")
        values, (no, yes), parts = self.values(targets, assignment), certain_losses(), []
        counts = self._counts(assignment, values, stack).sum(dim=2)
        for index, (geometry, rows, count) in enumerate(self.rows(assignment, values, EXACT)):
            batch = stack.batch(rows.slot[0][:count])
            free = free_cells(geometry, rows, count, self.prior[index][0, :OBJ], stack, self.threshold)
            xy, wh = (stack.sums(column[:count], batch) for column in box_terms(rows, box_answers(geometry, rows)))
            slots, present = stack.counts(batch), counts[index]
            conf = slots * yes + free * no
            cls = present * yes + (slots * self.head.num_classes - present) * no
            parts.append((tuple(term / stack.sizes for term in (xy, wh, conf, cls)), slots))
        return _loss(parts, stack.sizes), None

    def by_target(self, bias: Sequence[Tensor] | None, targets: Targets, assignment: Assignment, stack: Stack) -> dict[str, Tensor]:
        """What the rows of each target add to each term of its batch: (N,) float64 by term."""
        found = {name: torch.zeros(len(targets.cls), dtype=torch.float64) for name in TERMS}
        dtype = EXACT if bias is None else bias[0].dtype
        for index, (geometry, rows, count) in enumerate(self.rows(assignment, self.values(targets, assignment), dtype, bits=True)):
            says = answers(geometry, rows)[1] if bias is None else bias[index][rows.slot[1]]
            gt = assignment.gt[assignment.level == index].cpu()
            share = stack.sizes[stack.batch(rows.slot[0][:count])]
            for name, column in zip(TERMS, _columns(row_terms(rows, says)), strict=True):
                parts = column[:count].cpu().double() / share
                found[name] += torch.bincount(gt, weights=parts, minlength=len(targets.cls))
        return found

    def rows(
        self, assignment: Assignment, values: Tensor, dtype: torch.dtype, *, bits: bool = False
    ) -> list[tuple[LevelGeometry, LevelRows, int]]:
        """The rows of each level, filled up to whole lanes, and how many are no filling. bits: with those of the classes."""
        held = (values if bits else values[:, : OBJ + 1]).to(dtype)
        found = []
        for index, geometry in enumerate(self.geometry(held)):
            mine = torch.nonzero(assignment.level == index).squeeze(1)
            every = filled_up(mine)
            slot = (assignment.image[every], assignment.anchor[every], assignment.row[every], assignment.col[every])
            found.append((geometry, level_rows(geometry, slot, held[every]), len(mine)))
        return found

    def _counts(self, assignment: Assignment, values: Tensor, stack: Stack) -> Tensor:
        """(L, K, C) class bits of each level and batch."""
        batch = stack.batch(assignment.image)
        return class_counts(values[:, OBJ + 1 :], assignment.level.cpu(), batch, len(self.head.levels), stack)


@dataclass(frozen=True, slots=True)
class MovedBoxes:
    """A pass that counts the cells that other boxes than the prior's leave free.

    given: a level each, those boxes and all that does not depend on them.
    """

    own: SummedStack
    given: tuple[SummedSums, ...]

    def sums(self, targets: Targets, assignment: Assignment, stack: Stack, dtype: torch.dtype) -> tuple[Free, ...]:
        """Of each level. dtype: of the logits."""
        values = self.own.values(targets, assignment)
        loss, fit = (self.own.rows(assignment, values, one) for one in (dtype, EXACT))
        return tuple(
            Free(*(free_cells(*one, level.box, stack, level.threshold) for one in pair))
            for level, *pair in zip(self.given, loss, fit, strict=True)
        )

    def joined_sums(self, parts: Sequence[tuple[Free, ...]]) -> tuple[SummedSums, ...]:
        """The sums of all stacks with these cells, level by level."""
        return tuple(replace(level, free=joined_free(free)) for level, free in zip(self.given, zip(*parts, strict=True), strict=True))


def _columns(terms: RowTerms) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return terms.xy, terms.wh, terms.conf, terms.cls


def _loss(parts: Sequence[tuple[tuple[Tensor, ...], Tensor]], images: Tensor) -> StackedLoss:
    terms = [
        StackedTerm(name, index, raw, 1.0, count)
        for index, (columns, count) in enumerate(parts)
        for name, raw in zip(TERMS, columns, strict=True)
    ]
    return StackedLoss(tuple(terms), torch.ones_like(images))
