"""The three terms of a head with anchors and objectness, for many batches at once, on heads that are never built.

Each row is computed as `anchor_grid` computes it; only the sums go batch by batch, and the background of a constant logit is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from detloss_cli.inputs.head import Channels, Head
from detloss_cli.losses.anchor_grid import Answers, GridRules, LevelRows, level_rows, winners
from detloss_cli.losses.grid_marks import slot_answers
from detloss_cli.losses.grid_rates import LevelRates, fitted, joined_rates, level_rates
from detloss_cli.losses.grid_sums import LevelSums, constant_terms, joined_sums, level_sums
from detloss_cli.losses.reduce import mean_with_background
from detloss_cli.losses.stack import Stack, StackedLoss, StackedTerm, filled_up
from detloss_cli.targets.assignment import Assignment, Targets
from detloss_cli.targets.slots import slot_keys, winner_of_each

TERMS = ("box", "obj", "cls")


@dataclass(frozen=True, slots=True)
class GridStack:
    """What a family puts in.

    rules: as for one batch. prior: (A, C) float64 logits a level. gains: box, obj and cls of each level, everything included.
    factor: (K,) images of each batch to what the trainer multiplies its total with. encode: boxes and anchors in cells to logits.
    balance: objectness weights shown with the levels.
    """

    head: Head
    channels: Channels
    rules: GridRules
    prior: Sequence[Tensor]
    gains: Sequence[tuple[float, float, float]]
    factor: Callable[[Tensor], Tensor]
    encode: Callable[[Tensor, Tensor], Tensor]
    balance: tuple[float, ...] | None = None

    def loss(
        self, bias: Sequence[Tensor] | None, targets: Targets, assignment: Assignment, stack: Stack, *, rates: bool = False
    ) -> tuple[StackedLoss, tuple[LevelRates, ...]]:
        """The loss of a head, and what the base rate is fitted to if that is wanted.

        Args:
            bias: (A, C) a level of a head that says the same in every cell, in the dtype that the loss shall have. None for the one that
                answers each slot with its winning row and everything else with no.
        """
        parts, found = [], []
        for index in range(len(self.head.levels)):
            mine, rows, wins, quiet = self._rows(index, bias, targets, assignment)
            batch = stack.batch(mine.image)
            parts.append(self._reduced(index, rows, wins, mine.anchor, batch, quiet, stack))
            if rates:
                classes = targets.cls[mine.gt]
                found.append(level_rates(rows.target, wins, classes, batch, stack, self.head.num_classes, self.rules.obj))
        return self._loss(parts, stack.sizes), tuple(found)

    def by_target(self, bias: Sequence[Tensor] | None, targets: Targets, assignment: Assignment, stack: Stack) -> dict[str, Tensor]:
        """What the rows of each target add to each term of its batch, gains included: (N,) float64 by term."""
        found = {name: torch.zeros(len(targets.cls), dtype=torch.float64) for name in TERMS}
        for index, level in enumerate(self.head.levels):
            mine, rows, wins, _ = self._rows(index, bias, targets, assignment)
            batch, gt = stack.batch(mine.image), mine.gt.cpu()
            count = stack.counts(batch)[batch].double()
            cells = stack.sizes[batch] * level.slots
            columns = (rows.per_box, torch.where(wins, rows.per_obj, 0), rows.per_cls)
            for name, values, share, gain in zip(TERMS, columns, (count, cells, count), self.gains[index], strict=True):
                parts = values.cpu().double() / share * gain
                found[name] += torch.bincount(gt, weights=parts, minlength=len(targets.cls))
        return found

    @property
    def in_sums(self) -> bool:
        """Whether sums that all constant heads share are all that their losses need."""
        return self.rules.obj.affine

    @property
    def perfect_in_sums(self) -> bool:
        """No: it answers slot by slot."""
        return False

    def sums(self, targets: Targets, assignment: Assignment, stack: Stack, dtype: torch.dtype) -> tuple[LevelSums, ...]:
        """Of each level, for the prior's boxes. dtype: of the logits."""
        found = []
        for index, logits in enumerate(self.prior):
            mine, filled = _level(assignment, index)
            keys = slot_keys(mine, self.head.levels, targets.images)
            box = logits[:, self.channels.box].to(device=targets.boxes.device, dtype=dtype)
            found.append(level_sums(self.head.levels[index], targets, mine, filled, keys, box, self.head.num_classes, self.rules, stack))
        return tuple(found)

    def joined_sums(self, parts: Sequence[tuple[LevelSums, ...]]) -> tuple[LevelSums, ...]:
        """The sums of all stacks as those of one."""
        return tuple(joined_sums([stack[index] for stack in parts]) for index in range(len(self.head.levels)))

    def rates_of(self, sums: Sequence[LevelSums]) -> tuple[LevelRates, ...]:
        """What the base rate is fitted to."""
        return tuple(level.rates(self.rules.gr) for level in sums)

    def constant_of(self, bias: Sequence[Tensor] | None, sums: Sequence[LevelSums]) -> StackedLoss:
        """The loss of a head that says the same in every cell of a level, and to all its anchors.

        Raises:
            ValueError: no logits, logits that differ among the anchors of a level, or boxes that are not the prior's.
        """
        if bias is None:
            raise ValueError("expected the logits of a constant head, got None")
        parts = []
        for level, logits, prior, sum_of in zip(self.head.levels, bias, self.prior, sums, strict=True):
            box = self.channels.box
            if not (torch.equal(logits, logits[:1].expand_as(logits)) and torch.equal(logits[:, box].cpu().double(), prior[:, box])):
                raise ValueError("expected the prior's boxes and the same logits for all anchors of a level")
            terms = constant_terms(level, sum_of, logits[0], self.channels, self.rules)
            parts.append((*terms, sum_of.rows, sum_of.reached(self.rules.gr), sum_of.slots))
        return self._loss(parts, sums[0].images)

    def joined(self, rates: Sequence[tuple[LevelRates, ...]]) -> tuple[LevelRates, ...]:
        """The rates of all stacks as those of one, level by level."""
        return tuple(joined_rates([stack[index] for stack in rates]) for index in range(len(self.head.levels)))

    def base_rate(self, rates: Sequence[LevelRates]) -> tuple[Tensor, ...]:
        """The constant logits that minimise the mean over all batches, from the sums of each level: (A, C) float64 a level."""
        return fitted(self.head, self.channels, self.prior, rates, self.rules)

    def _rows(
        self, index: int, bias: Sequence[Tensor] | None, targets: Targets, assignment: Assignment
    ) -> tuple[Assignment, LevelRows, Tensor, Tensor]:
        """The rows of a level, what each adds, which of them win their slot, and (A,) the objectness logits of the background."""
        mine, filled = _level(assignment, index)
        keys = slot_keys(mine, self.head.levels, targets.images)
        if bias is not None:
            logits = bias[index]
            quiet, anchor = logits[:, self.channels.obj or 0], torch.arange(logits.shape[0], device=logits.device)
            answers = Answers(logits[:, self.channels.box], quiet, anchor, filled.anchor, logits[:, self.channels.cls], filled.anchor)
            rows = level_rows(self.head, index, targets, filled, answers, self.rules).first(len(mine))
            return mine, rows, winners(keys, rows.overlap, self.rules), quiet
        winner = winner_of_each(keys)
        every = torch.arange(len(mine), device=winner.device)
        quiet, said = slot_answers(self.head, index, targets, mine, winner, self.rules, self.encode, torch.float64)
        which, which_cls = (None if column is None else column[filled_up(every)] for column in (said.which, said.which_cls))
        answers = replace(said, which=which, which_cls=which_cls)
        rows = level_rows(self.head, index, targets, filled, answers, self.rules).first(len(mine))
        return mine, rows, winner == every, quiet

    def _reduced(
        self, index: int, rows: LevelRows, wins: Tensor, anchor: Tensor, batch: Tensor, quiet: Tensor, stack: Stack
    ) -> tuple[Tensor, ...]:
        """(K,) each: box, obj, cls, rows, sum of the objectness targets over the slots won, and how many those are.

        Args:
            wins, anchor, batch: (P,). quiet: (A,) objectness logits of the background.
        """
        level, anchors = self.head.levels[index], len(quiet)
        plane = batch * anchors + anchor.cpu()
        taken = torch.bincount(plane, weights=wins.cpu().double(), minlength=stack.count * anchors).view(stack.count, anchors)
        background = self.rules.obj(quiet, torch.zeros_like(quiet)).cpu().double()
        cells = stack.sizes * (level.rows * level.cols)
        count = stack.counts(batch)
        some = count.clamp(min=1)
        return (
            stack.sums(rows.per_box, batch) / some,
            mean_with_background(stack.sums(torch.where(wins, rows.per_obj, 0), batch), background, taken, cells),
            stack.sums(rows.per_cls, batch) / some,
            count,
            stack.sums(torch.where(wins, rows.target, 0), batch),
            taken.sum(dim=1).long(),
        )

    def _loss(self, parts: Sequence[tuple[Tensor, ...]], images: Tensor) -> StackedLoss:
        terms = [
            StackedTerm(name, index, raw, gain, part[3])
            for index, part in enumerate(parts)
            for name, raw, gain in zip(TERMS, part[:3], self.gains[index], strict=True)
        ]
        objectness = tuple((part[4], part[5]) for part in parts)
        return StackedLoss(tuple(terms), self.factor(images), objectness, self.balance)


def _level(assignment: Assignment, index: int) -> tuple[Assignment, Assignment]:
    """The rows of a level, and the same filled up to whole lanes."""
    rows = torch.nonzero(assignment.level == index).squeeze(1)
    filled = assignment.chosen(filled_up(rows))
    return filled.first(len(rows)), filled
