"""Recorded values of the single functions: smoothing, focal, quality focal, blur and the overlaps of five releases."""

from __future__ import annotations

import re

import torch
from case import Case
from compare import DTYPE, close

from detloss_cli.families.yolov5_releases import PROFILES
from detloss_cli.geometry.iou import iou
from detloss_cli.losses.bce import bce_with_logits, blur, smooth_bce
from detloss_cli.losses.focal import focal, quality_focal

MODULATION = {"FocalLoss": focal, "QFocalLoss": quality_focal}


def replay(case: Case) -> None:
    for dtype in ("f32", "f64"):
        inputs = {name: tensor.to(DTYPE[dtype]) for name, tensor in case.inputs.items()}
        for name, wanted in case.expected(dtype).items():
            if name == "smooth_BCE":
                for eps, pair in wanted.items():
                    close(list(smooth_bce(float(eps))), pair, dtype, f"smoothing {eps}")
            else:
                close(scalar(name, inputs), wanted, dtype, name)
        for name, tensor in case.tensors.items():
            if name.startswith(f"out.{dtype}."):
                close(unreduced(name.split(".", 2)[2], inputs), tensor, dtype, name, scale=1.0)


def scalar(name: str, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """A recorded figure such as FocalLoss.gamma1.5.alpha0.25.pos_weight2.0.mean.hard."""
    logit, target = inputs["pred"], inputs[f"true_{name.rsplit('.', 1)[1]}"]
    number = {key: float(value) for key, value in re.findall(r"(gamma|alpha|pos_weight)(\d+\.\d+)", name)}
    if name.startswith("BCEBlur"):
        return blur(bce_with_logits(logit, target), logit, target, number["alpha"]).mean()
    bce = bce_with_logits(logit, target, number["pos_weight"])
    values = MODULATION[name.split(".")[0]](bce, logit, target, number["gamma"], number["alpha"])
    return values.mean() if ".mean." in name else values.sum()


def unreduced(name: str, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """A recorded tensor such as bbox_iou.v7.0.CIoU or FocalLoss.none.g1.5.hard."""
    if name.startswith("bbox_iou"):
        release, kind = re.fullmatch(r"bbox_iou\.v(\d+\.\d+)\.(\w+)", name).groups()
        return iou(inputs["box1_xywh"], inputs["box2_xywh"], kind=kind.lower(), form=PROFILES[release].form, frame="cxcywh")
    logit, target = inputs["pred"], inputs[f"true_{name.rsplit('.', 1)[1]}"]
    gamma = float(re.search(r"\.g(\d+\.\d+)", name)[1])
    return MODULATION[name.split(".")[0]](bce_with_logits(logit, target), logit, target, gamma, 0.25)
