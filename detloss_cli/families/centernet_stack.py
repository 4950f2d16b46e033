"""The loss of many CenterNet batches at once, on heads that are never built: sums of the heat maps, and the values of all objects."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from detloss_cli.families import centernet_heads as heads
from detloss_cli.families.heat_maps import cell_losses, heat_minimum
from detloss_cli.inputs.head import Channels, Head
from detloss_cli.losses.heat_penalty import Penalties
from detloss_cli.losses.heat_sums import HeatSums, KeyPoints, centre_counts, heat_sums, joined_heat
from detloss_cli.losses.masked_l1 import EPS, divisors, masked_l1
from detloss_cli.losses.stack import Stack, StackedLoss, StackedTerm, batch_sums
from detloss_cli.targets.assignment import Assignment, Targets
from detloss_cli.targets.slots import last_of_each, winner_of_each

TERMS = ("heatmap", "size", "offset")


@dataclass(frozen=True, slots=True)
class Values:
    """What P objects want of their cells, on the host.

    cls: (P,) int32. size, offset: (P, 2) float32. lost: (L,) int64 objects whose cell another one answers, won: (L,) the last of that cell.
    """

    cls: Tensor
    size: Tensor
    offset: Tensor
    lost: Tensor
    won: Tensor

    def part(self, rows: slice) -> Values:
        """Some of the objects, for a head that answers all cells alike."""
        return Values(self.cls[rows], self.size[rows], self.offset[rows], self.lost[:0], self.won[:0])


@dataclass(frozen=True, slots=True)
class CenterNetSums:
    """K batches. heat: of one map. counts: (K,) int64 objects. values: of those, batch by batch."""

    heat: HeatSums
    counts: Tensor
    values: Values


@dataclass(frozen=True, slots=True)
class CenterNetStack:
    """What the family puts in: a head whose maps are all of one size, how values are compared, and the gain of each term by name."""

    head: Head
    how: heads.Regression
    gains: Mapping[str, float]
    in_sums: bool = True
    perfect_in_sums: bool = True
    penalties: Penalties = field(default_factory=Penalties)

    @property
    def prior(self) -> tuple[Tensor, ...]:
        """As `Family.prior`."""
        return heads.prior(self.head, self.how.by_class)

    @property
    def layout(self) -> Channels:
        """Of a map."""
        return heads.channels(self.head.num_classes, self.how.by_class)

    def sums(self, targets: Targets, assignment: Assignment, stack: Stack, dtype: torch.dtype) -> CenterNetSums:
        """What every head of a stack shares, whatever its dtype."""
        level, classes = self.head.levels[0], self.head.num_classes
        points, values = self._objects(targets, assignment)
        heat = heat_sums(points, classes, level.rows, level.cols, stack, self.penalties)
        return CenterNetSums(heat, stack.counts(stack.batch(torch.from_numpy(points.image))), values)

    def joined_sums(self, parts: Sequence[CenterNetSums]) -> CenterNetSums:
        """The sums of all stacks as those of one."""
        starts = np.cumsum([0] + [len(part.values.cls) for part in parts])
        each = [replace(part.values, lost=part.values.lost + start, won=part.values.won + start)
                for part, start in zip(parts, starts.tolist(), strict=False)]  # fmt: skip
        values = Values(*(torch.cat([getattr(one, name) for one in each]) for name in ("cls", "size", "offset", "lost", "won")))
        return CenterNetSums(joined_heat([part.heat for part in parts]), torch.cat([part.counts for part in parts]), values)

    def rates_of(self, sums: CenterNetSums) -> CenterNetSums:
        """What the base rate is fitted to: the sums themselves."""
        return sums

    def base_rate(self, rates: CenterNetSums) -> tuple[Tensor, ...]:
        """As `Family.base_rate`."""
        bias, rows = self.prior[0], rates.values
        bias[0, self.layout.cls] = heat_minimum(*rates.heat.shares())
        heads.fit_values(bias, self.how, self.layout, (rows.size, rows.offset, rows.cls), rates.counts)
        return tuple(bias.clone() for _ in self.head.levels)

    def constant_of(self, bias: Sequence[Tensor] | None, sums: CenterNetSums) -> StackedLoss:
        """The loss of a head that says the same in every cell; None for the one that knows its objects."""
        centres = torch.from_numpy(sums.heat.count)
        terms = []
        for index in range(len(self.head.levels)):
            logits = None if bias is None else bias[index]
            raw = [sums.heat.loss(*self._heat(logits))]
            for apart, kind in ((self._size_apart, self.how.size), (self._offset_apart, self.how.offset)):
                raw.append(_totals(apart, logits, sums) / divisors(sums.counts, kind))
            columns = zip(TERMS, raw, (centres, sums.counts, sums.counts), strict=True)
            terms += [StackedTerm(name, index, each, self.gains[name], count) for name, each, count in columns]
        maps = tuple([shown] * len(self.head.levels) for shown in sums.heat.shown())
        return StackedLoss(tuple(terms), torch.ones(len(sums.counts), dtype=torch.float64), maps=maps)

    def by_target(self, bias: Sequence[Tensor] | None, targets: Targets, assignment: Assignment, stack: Stack) -> dict[str, Tensor]:
        """What each target adds to each term of its batch, gains included: (N,) float64 by term."""
        level, classes = self.head.levels[0], self.head.num_classes
        points, values = self._objects(targets, assignment)
        batch = stack.batch(torch.from_numpy(points.image))
        counts = stack.counts(batch)
        centres = torch.from_numpy(centre_counts(points, classes, level.rows, level.cols, stack).sum(axis=1))
        alone = torch.from_numpy(last_of_each(_cells(points, level.rows, level.cols) * classes + points.cls))
        shares = (centres[batch], divisors(counts, self.how.size)[batch], divisors(counts, self.how.offset)[batch])
        gt = assignment.gt[assignment.level == 0].cpu()
        found = {name: torch.zeros(len(targets.cls), dtype=torch.float64) for name in TERMS}
        for index in range(len(self.head.levels)):
            logits = None if bias is None else bias[index]
            heat = torch.where(alone, self._heat(logits)[1].cpu().double()[values.cls], 0)
            columns = (heat, self._size_apart(logits, values), self._offset_apart(logits, values))
            for name, each, share in zip(TERMS, columns, shares, strict=True):
                found[name] += torch.bincount(gt, weights=each / share * self.gains[name], minlength=len(targets.cls))
        return found

    def _objects(self, targets: Targets, assignment: Assignment) -> tuple[KeyPoints, Values]:
        """The objects of the first map; all maps have the same."""
        level = self.head.levels[0]
        found = heads.objects(level, 0, targets, assignment)
        points = KeyPoints(*(column.cpu().numpy() for column in (found.image, found.cls, found.col, found.row, found.radius)))
        winner = winner_of_each(_cells(points, level.rows, level.cols))
        lost = np.flatnonzero(winner != np.arange(len(winner)))
        pair = (torch.from_numpy(column) for column in (lost, winner[lost]))
        return points, Values(found.cls.cpu().int(), found.size.cpu(), found.offset.cpu(), *pair)

    def _heat(self, logits: Tensor | None) -> tuple[Tensor, Tensor]:
        return cell_losses(logits, self.layout.cls, self.head.num_classes)

    def _size_apart(self, logits: Tensor | None, values: Values) -> Tensor:
        """(P,) float64: how far the size of each object is off, undivided."""
        how, lost, won = self.how, values.lost, values.won
        if logits is not None:
            said = logits.cpu().expand(len(values.cls), -1)
            said = how.size_of(said, values.cls.long() if how.by_class else values.cls)
            return masked_l1(said, values.size.to(said.dtype), how.size).sum(1).double()
        answer = values.size[won].double() + (EPS if how.size == "norm" else 0.0)
        if how.by_class:
            answer = torch.where((values.cls[won] == values.cls[lost])[:, None], answer, 0)
        apart = masked_l1(answer, values.size[lost].double(), how.size).sum(1)
        return torch.zeros(len(values.cls), dtype=torch.float64).index_copy(0, lost, apart)

    def _offset_apart(self, logits: Tensor | None, values: Values) -> Tensor:
        """The same of the offset."""
        if logits is not None:
            first = self.layout.cls.start - 2
            said = logits.cpu()[:, first : first + 2].expand(len(values.cls), -1)
            return masked_l1(said, values.offset.to(said.dtype), self.how.offset).sum(1).double()
        apart = masked_l1(values.offset[values.won].double(), values.offset[values.lost].double(), self.how.offset).sum(1)
        return torch.zeros(len(values.cls), dtype=torch.float64).index_copy(0, values.lost, apart)


def _totals(apart: Callable[[Tensor | None, Values], Tensor], logits: Tensor | None, sums: CenterNetSums) -> Tensor:
    """(K,) float64 sums of each batch."""
    if logits is not None:
        return batch_sums(lambda rows: apart(logits, sums.values.part(rows)), sums.counts)
    whole = apart(None, sums.values)
    return batch_sums(lambda rows: whole[rows], sums.counts)


def _cells(points: KeyPoints, rows: int, cols: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return (points.image * rows + points.y) * cols + points.x
