"""Recorded CenterNet cases: targets slot by slot, heat map, terms, total, gradients; and the radius, drawing and focal units."""

from __future__ import annotations

import hashlib

import torch
from case import Case
from compare import DTYPE, close, equal
from torch import Tensor

from detloss_cli.families import centernet
from detloss_cli.families.centernet_heads import Wanted, wanted
from detloss_cli.geometry.gaussian import gaussian_radius, whole_radius
from detloss_cli.inputs.head import Head, Level
from detloss_cli.losses.heatmap_focal import heatmap_focal, over_centres
from detloss_cli.losses.masked_l1 import L1Kind, divisor, masked_l1
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.targets.annotations import index_in_image
from detloss_cli.targets.assignment import Targets
from detloss_cli.targets.heatmap import HeatMap, draw_heatmap

PROFILE = {"x": "xingyizhou", "z": "zzzxxxttt"}
FORMS = ("xingyizhou", "zzzxxxttt", "cornernet")
NAMES = {  # xingyizhou, zzzxxxttt
    "ind": ("target.ind", "target.inds"),
    "mask": ("target.reg_mask", "target.ind_masks"),
    "size": ("target.wh", "target.w_h_"),
    "offset": ("target.reg", "target.regs"),
}
RAW = {"heatmap": "hm_loss", "size": "wh_loss", "offset": "off_loss"}


def replay(case: Case) -> None:
    if "radius_table" in case.meta["expected"]:
        radii(case)
        drawings(case)
        focal_units(case)
        return
    for dtype in ("f32", "f64"):
        run(case, dtype)


def head_of(case: Case) -> Head:
    height, width = case.settings["imgsz_hw"]
    stride = case.settings["down_ratio"]
    stacks = case.settings["stacks"]
    levels = tuple(Level(f"stack{i}", stride, height // stride, width // stride) for i in range(stacks))
    return Head("recorded", levels, case.settings["nc"], (height, width))


def hyp_of(case: Case) -> centernet.Hyp:
    settings = case.settings
    keys = ("hm_weight", "wh_weight", "off_weight", "max_objs", "min_overlap", "reg_loss", "norm_wh", "cat_spec_wh")
    return centernet.Hyp(**{key: settings[key] for key in keys if key in settings})


def run(case: Case, dtype: str) -> None:
    head, hyp, profile = head_of(case), hyp_of(case), PROFILE[case.settings["impl"]]
    boxes = case.inputs["boxes_img_x1y1x2y2cls"]
    targets = Targets(boxes[:, 0].long(), boxes[:, 5].long(), boxes[:, 1:5], case.settings["batch"], "xyxy_px")
    maps = {name: tensor.to(DTYPE[dtype]).clone().requires_grad_() for name, tensor in case.inputs.items() if name.startswith("stack")}
    levels = [
        torch.cat([maps[f"stack{i}.{part}"] for part in ("wh", "reg", "hm")], 1).permute(0, 2, 3, 1)[:, None]
        for i in range(len(head.levels))
    ]
    predictions = DensePredictions(levels)
    assignment = centernet.assign(head, hyp, targets, profile=profile)
    breakdown = centernet.loss(head, hyp, targets, predictions, assignment, profile=profile)
    breakdown.total.backward()

    expected = case.expected(dtype)
    stacks = len(head.levels)
    close(breakdown.total, expected["loss"], dtype, "loss")
    for name, key in RAW.items():
        close(sum(term.raw for term in breakdown.terms if term.name == name) / stacks, expected[key], dtype, name)
    for name, norm in expected["grad_l2"].items():
        close(maps[name].grad.norm(), norm, dtype, f"gradient of {name}")
    want = wanted(head, 0, targets, assignment)
    slots(case, targets, assignment.gt[assignment.level == 0], want, head.levels[0].cols)
    heat_equal(case, "heatmap", want.heat)
    assert int((want.heat.value == 1).sum()) == case.meta["expected"]["num_pos_heatmap"]
    assert len(want.cls) == case.meta["expected"]["num_objs"]
    assert len(centernet.reasons(head, hyp, targets, assignment, profile=profile)) == len(boxes) - len(want.cls)
    alternatives(expected, dtype, maps["stack0.wh"].detach(), want)


def slots(case: Case, targets: Targets, gt: Tensor, want: Wanted, cols: int) -> None:
    """Targets at their slots: image and place of the annotation within it, as the trainer stores them."""
    which = 0 if case.settings["impl"] == "x" else 1
    place = (want.image, index_in_image(targets.image)[gt])
    values = {"ind": want.row * cols + want.col, "mask": torch.ones_like(want.row), "size": want.size, "offset": want.offset}
    for name, value in values.items():
        recorded = case.tensors[f"out.{NAMES[name][which]}"]
        mine = torch.zeros_like(recorded).index_put(place, value.to(recorded.dtype))
        torch.testing.assert_close(mine, recorded, rtol=0, atol=0, msg=lambda m, name=name: f"{name}: {m}")


def heat_equal(case: Case, name: str, heat: HeatMap) -> None:
    """Each cell that is not 0, and the dense map byte by byte."""
    index, value = case.tensors[f"out.{name}.nz_idx"], case.tensors[f"out.{name}.nz_val"]
    equal(torch.stack((heat.image, heat.cls, heat.row, heat.col), 1), index.reshape(-1, 4), f"cells of {name}")
    torch.testing.assert_close(heat.value, value, rtol=0, atol=0)
    digest = hashlib.sha256(heat.dense().numpy().tobytes()).hexdigest()
    assert digest == case.meta["outputs"][f"{name}.dense_sha256"]


def alternatives(expected: dict, dtype: str, wh: Tensor, want: Wanted) -> None:
    """Size terms that the trainer offers and the case does not use."""
    out = wh[want.image, :, want.row, want.col]
    names: dict[L1Kind, str] = {"sl1": "alt_RegLoss_sl1_wh_stack0", "norm": "alt_NormRegL1_wh_stack0"}
    for kind, name in names.items():
        if name in expected:
            value = masked_l1(out, want.size.to(out.dtype), kind).sum() / divisor(len(out), kind)
            close(value, expected[name], dtype, name)


def radii(case: Case) -> None:
    table = torch.tensor(case.meta["expected"]["radius_table"], dtype=torch.float64)
    for column, form in enumerate(FORMS, 3):
        for overlap in table[:, 2].unique().tolist():
            rows = table[table[:, 2] == overlap]
            for height, width in ((rows[:, 0], rows[:, 1]), (rows[:, 0].numpy(), rows[:, 1].numpy())):
                mine = torch.as_tensor(gaussian_radius(height, width, overlap, form))
                torch.testing.assert_close(mine, rows[:, column], rtol=0, atol=0)
    used = torch.tensor(case.meta["expected"]["radius_int_used_at_0.7"])
    for column, form in enumerate(FORMS, 2):
        equal(whole_radius(gaussian_radius(used[:, 0], used[:, 1], 0.7, form)), used[:, column], f"radius used by {form}")


def drawings(case: Case) -> None:
    for index, draw in enumerate(case.meta["expected"]["draws"]):
        ops = torch.tensor(draw["ops_cx_cy_radius"]).reshape(-1, 3)
        zero = torch.zeros(len(ops), dtype=torch.int64)
        heat = draw_heatmap(zero, zero, ops[:, 0], ops[:, 1], ops[:, 2], (1, 1, *draw["hw"]))
        torch.testing.assert_close(heat.dense()[0, 0], case.tensors[f"out.draw{index}"], rtol=0, atol=0)
        assert int((heat.value == 1).sum()) == draw["n_eq_1"]


def focal_units(case: Case) -> None:
    for name, target in (("pos", "nl_target"), ("nopos", "nl_target_empty")):
        for dtype in ("f32", "f64"):
            heat = case.inputs[target].to(DTYPE[dtype])
            total = heatmap_focal(case.inputs["nl_logits"].to(DTYPE[dtype]), heat).sum()
            one = over_centres(total, (heat == 1).sum())
            for key, wanted_value in case.meta["expected"]["neg_loss"][f"{name}.{dtype}"].items():
                close(one * (2 if key.endswith("NOT_averaged") else 1), wanted_value, dtype, f"{name} {key}")
