"""Recorded RetinaNet cases: anchors and boxes by image, ignored anchors, both losses, gradients."""

from __future__ import annotations

import math

import torch
from adapters.torchvision_cases import Drawn, run
from case import Case
from torch import Tensor

from detloss_cli.families import retinanet
from detloss_cli.geometry.anchor_boxes import anchor_boxes, every_slot
from detloss_cli.inputs.head import Head, Level


def replay(case: Case) -> None:
    case, head = Drawn(case.path, anchors), head_of(case)
    hyp = retinanet.Hyp(**{name: float(case.settings[name]) for name in ("fg_iou", "bg_iou", "focal_alpha", "focal_gamma")})
    for dtype in ("f32", "f64"):
        run(case, dtype, retinanet, head, hyp)


def head_of(case: Case) -> Head:
    """Base anchors: sizes within ratios (height to width), half sides rounded to whole pixels."""
    levels = []
    ratios = case.settings["aspect_ratios"]
    for stride, (rows, cols), sizes in zip(case.settings["strides"], case.settings["level_hw"], case.settings["anchor_sizes"], strict=True):
        sides = [(size / math.sqrt(ratio), size * math.sqrt(ratio)) for ratio in ratios for size in sizes]
        boxes = tuple((2.0 * round(w / 2), 2.0 * round(h / 2)) for w, h in sides)
        levels.append(Level(f"P{stride.bit_length() - 1}", stride, rows, cols, boxes))
    return Head("recorded", tuple(levels), case.settings["nc"], tuple(case.settings["imgsz_hw"]))


def anchors(case: Case) -> Tensor:
    """All anchors in the order of torchvision."""
    head, like = head_of(case), torch.zeros(0)
    return torch.cat([anchor_boxes(level, head.imgsz, *every_slot(level, like), like) for level in head.levels])
