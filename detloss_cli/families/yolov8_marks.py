"""Heads that mark where a task-aligned loss can lie: a fresh one, the best constant logits, and the answers themselves."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from detloss_cli.families.yolov8_e2e import Branch
from detloss_cli.families.yolov8_terms import class_target, normaliser, wanted_sides
from detloss_cli.inputs.head import Channels, Head
from detloss_cli.losses.constant_logit import bce_minimum
from detloss_cli.losses.dfl import answer_logits
from detloss_cli.predictions.certain import CERTAIN
from detloss_cli.predictions.synthetic import AnswerHead
from detloss_cli.targets.assignment import Assignment, Targets
from detloss_cli.targets.centre_inside import BoxRules, corners_px


def prior(head: Head, channels: Channels) -> tuple[Tensor, ...]:
    """Distance logits 1, class logits log(5 / classes / (640 / stride)^2): one (1, C) float64 tensor a level."""
    biases = []
    for level in head.levels:
        bias = torch.ones(1, channels.count, dtype=torch.float64)
        bias[:, channels.cls] = math.log(5 / head.num_classes / (640 / level.stride) ** 2)
        biases.append(bias)
    return tuple(biases)


def base_rate(
    head: Head, channels: Channels, branches: Sequence[Branch], batches: Sequence[tuple[Targets, Assignment, Head]]
) -> tuple[Tensor, ...]:
    """Per level and class the logit of the mean target, each batch weighted with 1 / S as its term is; distances as in the prior.

    Args:
        batches: targets and assignment of each, `extra` with the `score` of each row, and the head that sees it.
    """
    fitted = []
    biases = prior(head, channels)
    for branch in branches:
        for index in range(branch.first, branch.first + len(branch.levels)):
            bias = biases[index].clone()
            wanted, cells = torch.zeros(head.num_classes, dtype=bias.dtype), 0.0
            for targets, assignment, seen_by in batches:
                level_of, score = assignment.level.cpu(), assignment.extra["score"].to(bias.dtype).cpu()
                own = (level_of >= branch.first) & (level_of < branch.first + len(branch.levels))
                share = 1 / float(normaliser(score[own]))
                here = level_of == index
                wanted.index_add_(0, class_target(targets, assignment).cpu()[here], score[here] * share)
                level = seen_by.levels[index]
                cells += targets.images * level.rows * level.cols * share
            if batches:
                bias[:, channels.cls] = bce_minimum(wanted / cells)
            fitted.append(bias)
    return tuple(fitted)


def perfect(
    head: Head, channels: Channels, branches: Sequence[Branch], targets: Targets, assignment: Assignment, boxes: BoxRules
) -> AnswerHead:
    """Each row answers with its distances, as far as the bins go, and its score; all other cells say no."""
    score = assignment.extra["score"]
    quiet = math.log(CERTAIN / (1 - CERTAIN))
    bias, answers, slots = [], [], []
    for branch in branches:
        corners = corners_px(targets, branch.levels, boxes).to(score.dtype)
        for index, level in enumerate(branch.levels, branch.first):
            row = torch.full((1, channels.count), quiet, dtype=score.dtype, device=score.device)
            row[:, channels.box] = 0.0
            rows = torch.nonzero(assignment.level == index).squeeze(1)
            answer = row.expand(rows.shape[0], -1).clone()
            answer[:, channels.box] = answer_logits(wanted_sides(targets, assignment, level, rows, corners), head.reg_max)
            wanted = torch.logit(score[rows].clamp(CERTAIN, 1 - CERTAIN))
            answer[:, channels.cls] = answer[:, channels.cls].scatter(1, class_target(targets, assignment)[rows, None], wanted[:, None])
            bias.append(row)
            answers.append(answer)
            slots.append((assignment.image[rows], assignment.anchor[rows], assignment.row[rows], assignment.col[rows]))
    return AnswerHead(bias, head.levels, targets.images, answers, slots)
