"""Recorded CornerNet cases: corners slot by slot, both heat maps, terms, total. Tags and offsets are recorded as gathered, slot by slot."""

from __future__ import annotations

import torch
from adapters.centernet import heat_equal
from case import Case
from compare import DTYPE, close
from torch import Tensor

from detloss_cli.families import cornernet
from detloss_cli.families.cornernet_heads import Wanted, wanted
from detloss_cli.inputs.head import Head, Level
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.targets.annotations import index_in_image
from detloss_cli.targets.assignment import Targets
from detloss_cli.targets.corners import Rules

PROFILE = "unclipped"  # the clip to the picture was replaced by nothing when the cases were recorded
CORNERS = ("tl", "br")
RAW = {"heatmap": "focal_sum_over_stacks", "pull": "pull", "push": "push", "offset": "regr"}


class GatheredHead(DensePredictions):
    """Heat maps, and the tag and offset of each slot as recorded: two slots that share a cell may hold different values."""

    def __init__(self, maps: dict[str, Tensor], stacks: int, slots: tuple[Tensor, Tensor]) -> None:
        names = [f"stack{stack}.{corner}" for stack in range(stacks) for corner in CORNERS]
        heats = [maps[f"{name}_heat"].permute(0, 2, 3, 1)[:, None] for name in names]
        super().__init__([torch.cat((torch.zeros_like(heat[..., :1]).expand(*heat.shape[:-1], 3), heat), -1) for heat in heats])
        self._gathered = [torch.cat((maps[f"{name}_tag"][slots], maps[f"{name}_regr"][slots]), -1) for name in names]

    def at(self, level: int, image: Tensor, anchor: Tensor, row: Tensor, col: Tensor) -> Tensor:
        return torch.cat((self._gathered[level], super().at(level, image, anchor, row, col)[:, 3:]), 1)


def replay(case: Case) -> None:
    for dtype in ("f32", "f64"):
        run(case, dtype)


def run(case: Case, dtype: str) -> None:
    settings = case.settings
    height, width = settings["imgsz_hw"]
    stride, stacks = settings["down_ratio"], settings["stacks"]
    levels = tuple(Level(f"{c}{s}", stride, height // stride, width // stride) for s in range(stacks) for c in CORNERS)
    head = Head("recorded", levels, settings["nc"], (height, width))
    hyp = cornernet.Hyp(**{key: settings[key] for key in ("pull_weight", "push_weight", "regr_weight", "gaussian_iou")})
    boxes = case.inputs["boxes_img_x1y1x2y2cls"]
    targets = Targets(boxes[:, 0].long(), boxes[:, 5].long(), boxes[:, 1:5], settings["batch"], "xyxy_px")
    assignment = cornernet.assign(head, hyp, targets, profile=PROFILE)
    rules = Rules(head.imgsz, head.num_classes, hyp.gaussian_iou, hyp.max_tag_len, False)
    wants = [wanted(head, index, rules, targets, assignment) for index in (0, 1)]
    place = (wants[0].image, index_in_image(wants[0].image))
    for corner, want in zip(CORNERS, wants, strict=True):
        slots(case, corner, want, place, levels[0].cols)
        heat_equal(case, f"{corner}_heat", want.heat)

    maps = {name: tensor.to(DTYPE[dtype]).clone().requires_grad_() for name, tensor in case.inputs.items() if name.startswith("stack")}
    breakdown = cornernet.loss(head, hyp, targets, GatheredHead(maps, stacks, place), assignment, profile=PROFILE)
    expected = case.expected(dtype)
    close(breakdown.total, expected["loss"], dtype, "loss")
    for name, key in RAW.items():
        raw = [term.raw for term in breakdown.terms if term.name == name]
        if name == "heatmap":
            raw = [sum(raw[0::2]), sum(raw[1::2])]
        close(torch.stack(raw), expected["terms"][key], dtype, name)
    if "grad_l2" in expected:
        breakdown.total.backward()
        for name, norm in expected["grad_l2"].items():
            close(maps[name].grad.norm(), norm, dtype, f"gradient of {name}")


def slots(case: Case, corner: str, want: Wanted, place: tuple[Tensor, Tensor], cols: int) -> None:
    """Targets at their slots: image and number of the box within it."""
    values = {f"{corner}_ind": want.row * cols + want.col, "mask": torch.ones_like(want.row), f"{corner}_regr": want.offset}
    for name, value in values.items():
        recorded = case.tensors[f"out.{name}"]
        mine = torch.zeros_like(recorded).index_put(place, value.to(recorded.dtype))
        torch.testing.assert_close(mine, recorded, rtol=0, atol=0, msg=lambda m, name=name: f"{name}: {m}")
