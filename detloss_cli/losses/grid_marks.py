"""Heads that mark where a loss on an anchor grid can lie: the best constant logits, and the answers themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from detloss_cli.geometry.iou import iou
from detloss_cli.inputs.head import Channels, Head
from detloss_cli.losses.anchor_grid import GridRules, level_terms
from detloss_cli.predictions.certain import CERTAIN
from detloss_cli.predictions.synthetic import AnswerHead, ConstantHead
from detloss_cli.targets.anchor_ratio import anchors_in_cells, cell_boxes
from detloss_cli.targets.assignment import Assignment, Targets
from detloss_cli.targets.slots import last_of_each, slot_keys


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
    batches: Sequence[tuple[Targets, Assignment]],
    rules: GridRules,
) -> tuple[Tensor, ...]:
    """Per level the constant objectness and class logits that minimise the mean over batches; box logits stay as in the prior.

    The objectness target of a positive is the overlap that the prior's box has with it: that is the overlap assumed.

    Args:
        prior: one (A, C) float64 tensor a level. batches: what the constants are fitted to.
    """
    fitted = []
    for index, bias in enumerate(prior):
        reached, weights, shares = [], [], []
        for targets, assignment in batches:
            terms = level_terms(head, index, channels, targets, ConstantHead(prior, head.levels, targets.images), assignment, rules)
            reached.append(terms.target[terms.wins])
            weights.append(torch.full_like(reached[-1], 1 / (head.levels[index].slots * targets.images * len(batches))))
            classes = targets.cls[assignment.gt[assignment.level == index]]
            if len(classes):
                shares.append(torch.bincount(classes.long().cpu(), minlength=head.num_classes).to(bias) / len(classes))
        new = bias.clone()
        if channels.obj is not None and batches:
            share = torch.cat(weights)
            values, mass = torch.cat((torch.cat(reached), share.new_zeros(1))), torch.cat((share, (1 - share.sum()).reshape(1)))
            new[:, channels.obj] = rules.obj.constant(values[:, None], mass[:, None])
        if shares:
            rate = torch.stack(shares).mean(0)
            targets_of = torch.tensor([[rules.present], [rules.absent]], dtype=bias.dtype, device=bias.device)
            new[:, channels.cls] = rules.cls.constant(targets_of, torch.stack((rate, 1 - rate)))
        fitted.append(new)
    return tuple(fitted)


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
    device = targets.boxes.device
    quiet = torch.logit(torch.tensor(CERTAIN, dtype=dtype, device=device))
    bias, answers, slots = [], [], []
    for index, level in enumerate(head.levels):
        row = torch.full((len(level.anchors), channels.count), float(quiet), dtype=dtype, device=device)
        row[:, channels.box] = 0.0
        rows = torch.nonzero(assignment.level == index).squeeze(1)
        keys = slot_keys(assignment, head.levels, targets.images)[rows]
        wins = last_of_each(keys)
        slot = tuple(column[rows][wins] for column in (assignment.image, assignment.anchor, assignment.row, assignment.col))
        wanted = cell_boxes(targets, assignment, level, rows[wins]).to(dtype)
        anchors = anchors_in_cells(level, wanted)[slot[1]]
        answer = row[slot[1]].clone()
        answer[:, channels.box] = encode(wanted, anchors)
        overlap = iou(rules.decode(answer[:, channels.box], anchors), wanted, kind=rules.kind, form=rules.form, frame="cxcywh").clamp(min=0)
        if channels.obj is not None:
            answer[:, channels.obj] = torch.logit(((1 - rules.gr) + rules.gr * overlap).clamp(CERTAIN, 1 - CERTAIN))
        answer[:, channels.cls] = torch.logit(_mean_class(targets, assignment, rows, keys, wins, head.num_classes, rules, dtype))
        bias.append(row)
        answers.append(answer)
        slots.append(slot)
    return AnswerHead(bias, head.levels, targets.images, answers, slots)


def _mean_class(
    targets: Targets, assignment: Assignment, rows: Tensor, keys: Tensor, wins: Tensor, classes: int, rules: GridRules, dtype: torch.dtype
) -> Tensor:
    """(S, C) mean class target over the rows of each slot, in the order of the winning rows, within `CERTAIN` of 0 and 1."""
    distinct, inverse = torch.unique(keys, return_inverse=True)
    chosen = targets.cls[assignment.gt[rows]].long() % classes
    per_row = torch.full((len(rows), classes), rules.absent, dtype=dtype, device=keys.device).scatter(1, chosen[:, None], rules.present)
    total = torch.zeros((len(distinct), classes), dtype=dtype, device=keys.device).index_add(0, inverse, per_row)
    count = torch.zeros(len(distinct), dtype=dtype, device=keys.device).index_add(0, inverse, torch.ones_like(keys, dtype=dtype))
    return (total / count[:, None])[inverse[wins]].clamp(CERTAIN, 1 - CERTAIN)
