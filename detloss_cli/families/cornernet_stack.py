"""The loss of many CornerNet batches at once, on heads that are never built: sums of the heat maps and tags, and all corners' offsets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from detloss_cli.families import cornernet_heads as heads
from detloss_cli.families.heat_maps import cell_losses, heat_minimum
from detloss_cli.inputs.head import Head
from detloss_cli.losses.associative import nearness, pull, push_by_nearness
from detloss_cli.losses.heat_penalty import Penalties
from detloss_cli.losses.heat_sums import HeatSums, KeyPoints, centre_counts, heat_sums, joined_heat
from detloss_cli.losses.masked_l1 import divisors, masked_l1
from detloss_cli.losses.stack import Stack, StackedLoss, StackedTerm, batch_sums
from detloss_cli.targets.annotations import index_in_image
from detloss_cli.targets.assignment import Assignment, Targets
from detloss_cli.targets.corners import Rules
from detloss_cli.targets.slots import last_of_each, winner_of_each

TERMS = ("heatmap", "offset", "pull", "push")


@dataclass(frozen=True, slots=True)
class CornerSums:
    """One corner of K batches.

    heat: of its map. offset: (P, 2) float32 of all boxes, batch by batch. missed: (K,) sums of how far the offset of the last corner of a
    cell is off for the others.
    """

    heat: HeatSums
    offset: Tensor
    missed: Tensor


@dataclass(frozen=True, slots=True)
class CornerNetSums:
    """K batches. corners: upper left and lower right. counts: (K,) int64 boxes. alike: (K,) sums of push where all tags are one.
    pulled, pushed: (K,) sums where the last corner of each cell says the number of its box."""

    corners: tuple[CornerSums, ...]
    counts: Tensor
    alike: Tensor
    pulled: Tensor
    pushed: Tensor


@dataclass(frozen=True, slots=True)
class _Boxes:
    """The boxes of a stack, on the host: P of them, each with both corners.

    image, cls, gt: (P,) int64. winner: of each corner the last box whose corner has the same cell. own: of each corner bool, the
    box stands for a centre of its class. points, offset: of each corner.
    """

    image: Tensor
    cls: Tensor
    gt: Tensor
    winner: tuple[Tensor, ...]
    own: tuple[Tensor, ...]
    points: tuple[KeyPoints, ...]
    offset: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class CornerNetStack:
    """What the family puts in: a head whose maps are all of one size, the rules of its corners, and the gain of each term by name."""

    head: Head
    rules: Rules
    gains: Mapping[str, float]
    in_sums: bool = True
    perfect_in_sums: bool = True
    penalties: Penalties = field(default_factory=Penalties)

    @property
    def prior(self) -> tuple[Tensor, ...]:
        """As `Family.prior`."""
        return heads.prior(self.head)

    def sums(self, targets: Targets, assignment: Assignment, stack: Stack, dtype: torch.dtype) -> CornerNetSums:
        """What every head of a stack shares, whatever its dtype."""
        level, classes, boxes = self.head.levels[0], self.head.num_classes, self._boxes(targets, assignment)
        batch = stack.batch(boxes.image)
        corners = tuple(
            CornerSums(
                heat_sums(points, classes, level.rows, level.cols, stack, self.penalties),
                offset,
                stack.sums(_missed(offset, winner), batch),
            )
            for points, offset, winner in zip(boxes.points, boxes.offset, boxes.winner, strict=True)
        )
        tags = (_alike(boxes, targets.images), *_told_apart(boxes, targets.images))
        return CornerNetSums(corners, stack.counts(batch), *(stack.sums(column, batch) for column in tags))

    def joined_sums(self, parts: Sequence[CornerNetSums]) -> CornerNetSums:
        """The sums of all stacks as those of one."""
        corners = tuple(_joined_corner(each) for each in zip(*(part.corners for part in parts), strict=True))
        columns = (torch.cat([getattr(part, name) for part in parts]) for name in ("counts", "alike", "pulled", "pushed"))
        return CornerNetSums(corners, *columns)

    def rates_of(self, sums: CornerNetSums) -> CornerNetSums:
        """What the base rate is fitted to: the sums themselves."""
        return sums

    def base_rate(self, rates: CornerNetSums) -> tuple[Tensor, ...]:
        """As `Family.base_rate`."""
        found = []
        for corner, bias in zip(rates.corners, self.prior, strict=False):
            bias[0, heads.channels(self.head).cls] = heat_minimum(*corner.heat.shares())
            heads.fit_offset(bias, corner.offset, rates.counts)
            found.append(bias)
        return tuple(found[index % 2].clone() for index in range(len(self.head.levels)))

    def constant_of(self, bias: Sequence[Tensor] | None, sums: CornerNetSums) -> StackedLoss:
        """The loss of a head that says the same in every cell; None for the one that knows its boxes."""
        counts, gains, terms = sums.counts, self.gains, []
        for index in range(len(self.head.levels)):
            corner, logits = sums.corners[index % 2], None if bias is None else bias[index]
            total = corner.missed if logits is None else _offset_totals(logits, corner.offset, counts)
            heat = corner.heat.loss(*self._heat(logits))
            terms.append(StackedTerm("heatmap", index, heat, gains["heatmap"], torch.from_numpy(corner.heat.count)))
            terms.append(StackedTerm("offset", index, total / divisors(counts, "sl1"), gains["offset"], counts))
            if index % 2:
                pulled, pushed = (torch.zeros_like(sums.alike), sums.alike) if bias is not None else (sums.pulled, sums.pushed)
                terms.append(StackedTerm("pull", index - 1, pulled, gains["pull"], counts))
                terms.append(StackedTerm("push", index - 1, pushed, gains["push"], counts))
        pairs = zip(*(corner.heat.shown() for corner in sums.corners), strict=True)
        maps = tuple(list(pair) * (len(self.head.levels) // 2) for pair in pairs)
        return StackedLoss(tuple(terms), torch.ones(len(counts), dtype=torch.float64), maps=maps)

    def by_target(self, bias: Sequence[Tensor] | None, targets: Targets, assignment: Assignment, stack: Stack) -> dict[str, Tensor]:
        """What each target adds to each term of its batch, gains included: (N,) float64 by term."""
        level, classes, boxes = self.head.levels[0], self.head.num_classes, self._boxes(targets, assignment)
        batch = stack.batch(boxes.image)
        share = divisors(stack.counts(batch), "sl1")[batch]
        found = {name: torch.zeros(len(targets.cls), dtype=torch.float64) for name in TERMS}

        def add(name: str, each: Tensor) -> None:
            found[name] += torch.bincount(boxes.gt, weights=each * self.gains[name], minlength=len(targets.cls))

        for index in range(len(self.head.levels)):
            logits, corner = None if bias is None else bias[index], index % 2
            centres = torch.from_numpy(centre_counts(boxes.points[corner], classes, level.rows, level.cols, stack).sum(axis=1))
            heat = torch.where(boxes.own[corner], self._heat(logits)[1].cpu().double()[boxes.cls], 0)
            add("heatmap", heat / centres[batch].clamp(min=1))
            offset = boxes.offset[corner]
            add("offset", (_missed(offset, boxes.winner[corner]) if logits is None else _offset_apart(logits, offset)) / share)
            if corner and bias is not None:
                add("push", _alike(boxes, targets.images))
            elif corner:
                for name, each in zip(("pull", "push"), _told_apart(boxes, targets.images), strict=True):
                    add(name, each)
        return found

    def _boxes(self, targets: Targets, assignment: Assignment) -> _Boxes:
        """The boxes of the first two maps; all pairs of maps have the same."""
        level, columns = self.head.levels[0], []
        for index in (0, 1):
            found = heads.corners(self.head, index, self.rules, targets, assignment)
            points = KeyPoints(*(column.cpu().numpy() for column in (found.image, found.cls, found.x, found.y, found.radius)))
            cell = (found.image * level.rows + found.row) * level.cols + found.col
            key = (cell * self.head.num_classes + found.cls).cpu().numpy()
            on_map = (points.x >= 0) & (points.x < level.cols) & (points.y >= 0) & (points.y < level.rows)
            own = torch.from_numpy(last_of_each(key) & np.isin(key, key[on_map]))
            columns.append((torch.from_numpy(winner_of_each(cell.cpu().numpy())), own, points, found.offset.cpu()))
        gt = assignment.gt[assignment.level == 0].cpu()
        winner, owns, both, offset = zip(*columns, strict=True)
        return _Boxes(found.image.cpu(), found.cls.cpu(), gt, winner, owns, both, offset)

    def _heat(self, logits: Tensor | None) -> tuple[Tensor, Tensor]:
        return cell_losses(logits, heads.channels(self.head).cls, self.head.num_classes)


def _joined_corner(parts: Sequence[CornerSums]) -> CornerSums:
    offset, missed = (torch.cat([getattr(part, name) for part in parts]) for name in ("offset", "missed"))
    return CornerSums(joined_heat([part.heat for part in parts]), offset, missed)


def _offset_apart(logits: Tensor, offset: Tensor) -> Tensor:
    """(P,) float64: how far a constant offset is off."""
    said = logits.cpu()[:, 1:3].expand(len(offset), -1)
    return masked_l1(said, offset.to(said.dtype), "sl1").sum(1).double()


def _offset_totals(logits: Tensor, offset: Tensor, counts: Tensor) -> Tensor:
    """(K,) float64 of each batch. counts: (K,) boxes."""
    return batch_sums(lambda rows: _offset_apart(logits, offset[rows]), counts)


def _missed(offset: Tensor, winner: Tensor) -> Tensor:
    """(P,) float64: how far the offset of the last corner of a cell is off for each of its corners."""
    return masked_l1(offset[winner].double(), offset.double(), "sl1").sum(1)


def _alike(boxes: _Boxes, images: int) -> Tensor:
    """(P,) float64 push of each box where all tags are the same."""
    return push_by_nearness(torch.bincount(boxes.image, minlength=images)[boxes.image].double(), boxes.image, images)


def _told_apart(boxes: _Boxes, images: int) -> tuple[Tensor, Tensor]:
    """(P,) float64 pull and push of each box where the last corner of each cell says the number of its box in its image."""
    place = index_in_image(boxes.image)
    first, second = (place[winner].double() for winner in boxes.winner)
    return pull(first, second, boxes.image, images), push_by_nearness(nearness(first, second, boxes.image, place), boxes.image, images)
