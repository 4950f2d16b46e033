"""Heads that mark where a loss on an anchor grid can lie: the best constant logits, and the answers themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from detloss_cli.geometry.iou import iou
from detloss_cli.inputs.head import Channels, Head
from detloss_cli.losses.anchor_grid import Answers, GridRules
from detloss_cli.losses.grid_rates import LevelRates, fitted, joined_rates, level_rates
from detloss_cli.losses.grid_terms import grid_terms
from detloss_cli.losses.stack import Stack, filled_up
from detloss_cli.predictions.certain import CERTAIN
from detloss_cli.predictions.synthetic import AnswerHead, ConstantHead
from detloss_cli.targets.anchor_ratio import anchors_in_cells, cell_boxes
from detloss_cli.targets.assignment import Assignment, Targets
from detloss_cli.targets.slots import slot_keys, winner_of_each


def prior_logits(head: Head, obj: Sequence[float], cls: float) -> tuple[Tensor, ...]:
    """A fresh head: its biases for objectness, one a level, and for the classes; the rest 0. One (A, 5 + C) float64 tensor a level."""
    biases = []
    for level, logit in zip(head.levels, obj, strict=True):
        bias = torch.zeros(len(level.anchors), 5 + head.num_classes, dtype=torch.float64)
        bias[:, 4], bias[:, 5:] = logit, cls
        biases.append(bias)
    return tuple(biases)


def base_rate_head(
    head: Head,
    channels: Channels,
    prior: Sequence[Tensor],
    batches: Sequence[tuple[Targets, Assignment, Head]],
    rules: GridRules,
) -> tuple[Tensor, ...]:
    """Per level the constant objectness and class logits that minimise the mean over batches; box logits stay as in the prior.

    The objectness target of a positive is the overlap that the prior's box has with it: that is the overlap assumed.

    Args:
        prior: one (A, C) float64 tensor a level. batches: what the constants are fitted to, each with the head that sees it.
    """
    found: list[list[LevelRates]] = [[] for _ in prior]
    for targets, assignment, seen_by in batches:
        answers = ConstantHead(prior, seen_by.levels, targets.images)
        stack = Stack(targets.images, targets.images)
        for index, terms in enumerate(grid_terms(seen_by, channels, targets, answers, assignment, rules)):
            mine = assignment.chosen(assignment.level == index)
            classes, batch = targets.cls[mine.gt], stack.batch(mine.image)
            rates = level_rates(terms.target, terms.wins, classes, batch, stack, head.num_classes, rules.obj)
            found[index].append(rates.as_images_of(head.levels[index].slots, seen_by.levels[index].slots))
    return fitted(head, channels, prior, [joined_rates(rates) for rates in found], rules)


def perfect_head(
    head: Head,
    channels: Channels,
    targets: Targets,
    assignment: Assignment,
    rules: GridRules,
    encode: Callable[[Tensor, Tensor], Tensor],
    dtype: torch.dtype,
) -> AnswerHead:
    """Each slot answers with the box of its winning row, its overlap, and the mean class target of its rows; all other cells say no."""
    bias, answers, slots = [], [], []
    for index in range(len(head.levels)):
        mine = assignment.chosen(torch.nonzero(assignment.level == index).squeeze(1))
        winner = winner_of_each(slot_keys(mine, head.levels, targets.images))
        wins = winner == torch.arange(len(winner), device=winner.device)
        quiet, says = slot_answers(head, index, targets, mine, winner, rules, encode, dtype)
        row = quiet[0].expand(quiet.shape[0], channels.count).clone()
        row[:, channels.box] = 0.0
        answer = row[mine.anchor[wins]]
        answer[:, channels.box] = says.box[: len(answer)]
        if channels.obj is not None:
            answer[:, channels.obj] = says.obj[: len(answer)]
        if says.which_cls is not None:
            answer[:, channels.cls] = says.cls[says.which_cls[wins]]
        bias.append(row)
        answers.append(answer)
        slots.append(tuple(column[wins] for column in mine.slot))
    return AnswerHead(bias, head.levels, targets.images, answers, slots)


def slot_answers(
    head: Head,
    index: int,
    targets: Targets,
    mine: Assignment,
    winner: Tensor,
    rules: GridRules,
    encode: Callable[[Tensor, Tensor], Tensor],
    dtype: torch.dtype,
) -> tuple[Tensor, Answers]:
    """What cells without a row say, (A,), and for each row what its slot answers: the box of the slot's winning row, its overlap, and
    the mean class target of all its rows.

    Args:
        mine: the assignment's rows of this level. winner: (P,) int64, the winning row of each row's slot.
    """
    level, device = head.levels[index], targets.boxes.device
    quiet = torch.logit(torch.full((max(1, len(level.anchors)),), CERTAIN, dtype=dtype, device=device))
    wins = winner == torch.arange(len(winner), device=device)
    slot = filled_up(torch.nonzero(wins).squeeze(1))
    wanted = cell_boxes(targets, mine, level, slot).to(dtype)
    anchors = anchors_in_cells(level, wanted)[mine.anchor[slot]]
    box = encode(wanted, anchors)
    overlap = iou(rules.decode(box, anchors), wanted, kind=rules.kind, form=rules.form, frame="cxcywh").clamp(min=0)
    obj = torch.logit(((1 - rules.gr) + rules.gr * overlap).clamp(CERTAIN, 1 - CERTAIN))
    which = (torch.cumsum(wins, 0) - 1)[winner]
    cls, which_cls = _mean_classes(targets.cls[mine.gt].long() % head.num_classes, winner, head.num_classes, rules, dtype)
    return quiet, Answers(box, obj, mine.anchor[slot], which, torch.logit(cls), which_cls)


def _mean_classes(chosen: Tensor, winner: Tensor, classes: int, rules: GridRules, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Mean class target over the rows of a slot, within `CERTAIN` of 0 and 1: (V, C) different ones, and (P,) which of them each row has.

    The first C rows, filled up, are the slots of a single class; then come those that rows of several classes share.

    Args:
        chosen: (P,) int64 class of each row. winner: (P,) int64, the winning row of its slot.
    """
    single = filled_up(torch.arange(classes, device=chosen.device))
    differs = torch.zeros_like(winner, dtype=torch.bool)
    differs[winner[chosen != chosen[winner]]] = True
    shared = torch.nonzero(differs[winner]).squeeze(1)
    slot = filled_up(torch.nonzero(differs).squeeze(1))
    place = torch.zeros_like(winner)
    place[slot] = torch.arange(len(slot), device=slot.device)
    place[slot[int(differs.sum()) :]] = int(differs.sum()) - 1
    one_hot = torch.full((len(single) + len(shared), classes), rules.absent, dtype=dtype, device=chosen.device)
    one_hot.scatter_(1, torch.cat((single, chosen[shared]))[:, None], rules.present)
    owner = place[winner[shared]]
    total = torch.zeros((len(slot), classes), dtype=dtype, device=chosen.device).index_add(0, owner, one_hot[len(single) :])
    count = torch.bincount(owner, minlength=len(slot)).clamp(min=1).to(dtype)
    means = torch.cat((one_hot[: len(single)], total / count[:, None])).clamp(CERTAIN, 1 - CERTAIN)
    return means, torch.where(differs[winner], len(single) + place[winner], chosen)
