"""What every constant head of an anchor grid shares, batch by batch: where its losses are straight lines, nothing else of the rows counts.

One pass over a data set gives these sums; the loss of any constant logits, and those that minimise it, follow without another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from detloss_cli.inputs.head import Channels, Level
from detloss_cli.losses.anchor_grid import GridRules, row_overlaps, winners
from detloss_cli.losses.grid_rates import LevelRates, fixed_shares
from detloss_cli.losses.reduce import mean_with_background
from detloss_cli.losses.stack import Stack
from detloss_cli.targets.assignment import Assignment, Targets


@dataclass(frozen=True, slots=True)
class LevelSums:
    """One level of K batches, for boxes that are the same in every cell of an anchor.

    images: (K,) float64 of each batch. box: (K,) float64 sums of 1 - overlap over the rows. overlap: (K,) float64 sums of the overlap, 0
    where it is negative, over the slots won. slots: (K,) int64 of those. classes: (K, C) int32 rows by class, counted from the end where
    negative.
    """

    images: Tensor
    box: Tensor
    overlap: Tensor
    slots: Tensor
    classes: Tensor

    @property
    def rows(self) -> Tensor:
        """(K,) int64."""
        return self.classes.sum(dim=1)

    def reached(self, gr: float) -> Tensor:
        """(K,) sums of the objectness targets over the slots won."""
        return (1.0 - gr) * self.slots + gr * self.overlap

    def rates(self, gr: float) -> LevelRates:
        """What the base rate is fitted to."""
        shares, with_rows = fixed_shares(self.classes)
        return LevelRates(self.images, self.reached(gr), shares, with_rows)


def level_sums(
    level: Level,
    targets: Targets,
    mine: Assignment,
    filled: Assignment,
    keys: Tensor,
    box: Tensor,
    classes: int,
    rules: GridRules,
    stack: Stack,
) -> LevelSums:
    """The sums of a level.

    Args:
        mine, filled: its rows, and the same filled up to whole lanes. keys: (P,) int64 slot of each row. box: (A, 4) logits. classes: C.

    Raises:
        RuntimeError: a class at or above the number of classes, where there is more than one.
    """
    batch = stack.batch(mine.image)
    anchor = torch.arange(box.shape[0], device=box.device)
    overlap = row_overlaps(level, targets, filled, box, anchor, filled.anchor, rules)[: len(mine)]
    won = torch.where(winners(keys, overlap, rules), overlap.clamp(min=0), -1)
    wins = won.cpu() >= 0
    cls = targets.cls[mine.gt].cpu().long()
    if classes > 1 and len(cls) and int(cls.max()) >= classes:
        raise RuntimeError(f"class {int(cls.max())} of {classes}")
    counts = torch.bincount(batch * classes + cls % classes, minlength=stack.count * classes)
    return LevelSums(
        images=stack.sizes,
        box=stack.sums(1.0 - overlap, batch),
        overlap=stack.sums(won.clamp(min=0), batch),
        slots=torch.bincount(batch, weights=wins.double(), minlength=stack.count).long(),
        classes=counts.view(stack.count, classes).int(),
    )


def joined_sums(parts: Sequence[LevelSums]) -> LevelSums:
    """The batches of all parts, in their order."""
    columns = ("images", "box", "overlap", "slots", "classes")
    return LevelSums(*(torch.cat([getattr(part, name) for part in parts]) for name in columns))


def constant_terms(level: Level, sums: LevelSums, logits: Tensor, channels: Channels, rules: GridRules) -> tuple[Tensor, Tensor, Tensor]:
    """box, obj and cls of each batch, (K,) float64 each, of a head that says the same everywhere.

    Args:
        logits: (C',) all channels; box ones are those that the sums were made with.
    """
    rows = sums.rows.clamp(min=1)
    # in the dtype of the logits, as a trainer computes it: torch's float32 log-sigmoid is off by 1e-5 and more where cells are rarely full
    x = logits[channels.obj or 0].reshape(1)
    empty, full = (rules.obj(x, torch.full_like(x, target)).cpu().double() for target in (0.0, 1.0))
    reached = sums.reached(rules.gr)
    inside = (sums.slots - reached) * empty + reached * full
    anchors = max(1, len(level.anchors))
    cells = sums.images * (level.slots // anchors)
    obj = mean_with_background(inside, empty.expand(anchors), (sums.slots[:, None] / anchors).expand(-1, anchors), cells)
    return sums.box / rows, obj, sums.classes.double() @ _class_losses(logits[channels.cls], rules) / rows


def _class_losses(logits: Tensor, rules: GridRules) -> Tensor:
    """(C,) what a row of each class adds; 0 where there is a single one, whose term is not computed."""
    if len(logits) == 1:
        return torch.zeros(1, dtype=torch.float64)
    absent, present = (rules.cls(logits, torch.full_like(logits, value)).cpu().double() for value in (rules.absent, rules.present))
    return (absent.sum() - absent + present) / len(logits)
