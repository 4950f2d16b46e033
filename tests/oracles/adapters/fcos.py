"""Recorded FCOS cases: points and boxes by image, the three losses, gradients."""

from __future__ import annotations

import torch
from adapters.torchvision_cases import Drawn, run
from case import Case
from torch import Tensor

from detloss_cli.families import fcos
from detloss_cli.geometry.anchor_boxes import grid_step
from detloss_cli.inputs.head import Head, Level


def replay(case: Case) -> None:
    case, head = Drawn(case.path, squares), head_of(case)
    assert torch.equal(squares(case), case.inputs["anchors_xyxy"]), "anchors"
    names = ("center_sampling_radius", "focal_alpha", "focal_gamma")
    hyp = fcos.Hyp(**{name: float(case.settings[name]) for name in names})
    for dtype in ("f32", "f64"):
        run(case, dtype, fcos, head, hyp)


def head_of(case: Case) -> Head:
    pairs = zip(case.settings["strides"], case.settings["level_hw"], strict=True)
    levels = tuple(Level(f"P{stride.bit_length() - 1}", stride, rows, cols) for stride, (rows, cols) in pairs)
    return Head("recorded", levels, case.settings["nc"], tuple(case.settings["imgsz_hw"]))


def squares(case: Case) -> Tensor:
    """The anchors that torchvision makes: a square as wide as the stride at every point."""
    head, found = head_of(case), []
    for level in head.levels:
        across, down = grid_step(level, head.imgsz)
        row, col = torch.meshgrid(torch.arange(level.rows), torch.arange(level.cols), indexing="ij")
        point = torch.stack((col * across, row * down), -1).reshape(-1, 2)
        found.append(torch.cat((point - level.stride / 2, point + level.stride / 2), 1))
    return torch.cat(found).float()
