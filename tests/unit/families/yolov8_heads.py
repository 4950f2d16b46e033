"""Heads of yolov8 with random answers, a few boxes, and their loss."""

from __future__ import annotations

import torch
from torch import Tensor

from detloss_cli.families import yolov8
from detloss_cli.inputs.head import Head, Level
from detloss_cli.predictions.interface import Predictions
from detloss_cli.targets.assignment import Assignment, Targets

DOUBLE = torch.float64
HYP = yolov8.Hyp()


def head_of(side: int = 128, classes: int = 3, reg_max: int = 16, end2end: bool = False) -> Head:
    levels = tuple(Level(f"P{s.bit_length() - 1}", s, side // s, side // s) for s in (8, 16, 32))
    return yolov8.outputs(Head("test", levels, classes, (side, side), reg_max, end2end), "8.4.190")


def random_head(head: Head, images: int, seed: int = 0) -> list[Tensor]:
    source = torch.Generator().manual_seed(seed)
    width = yolov8.channels(head).count
    shift = 2.0 if head.reg_max == 1 else 0.0
    return [torch.randn((images, 1, v.rows, v.cols, width), generator=source, dtype=DOUBLE) + shift for v in head.levels]


def boxes_of(rows: list[tuple[float, ...]], images: int = 1, side: int = 128) -> Targets:
    """image, class, then centre and size in px."""
    table = torch.tensor(rows, dtype=DOUBLE).reshape(-1, 6)
    return Targets(table[:, 0].long(), table[:, 1].long(), table[:, 2:] / side, images)


SOME = [(0, 0, 40, 40, 30, 24), (0, 2, 80, 70, 60, 50), (1, 1, 60, 60, 90, 20), (1, 1, 20, 100, 18, 18)]


def compute(
    head: Head, targets: Targets, predictions: Predictions, hyp: yolov8.Hyp = HYP, profile: str = "8.4.190"
) -> tuple[Assignment, object]:
    assignment = yolov8.assign(head, hyp, targets, predictions, profile=profile)
    return assignment, yolov8.loss(head, hyp, targets, predictions, assignment, profile=profile)
