"""Recorded YOLOX cases: matched cells, boxes and IoU by image, the six returned values, gradients."""

from __future__ import annotations

import re

import torch
from case import Case
from compare import DTYPE, close, equal
from torch import Tensor

from detloss_cli.families import yolox
from detloss_cli.inputs.head import Head, Level
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.targets.assignment import Assignment, Targets

PROFILES = {"HEAD": "head", "0.3.0": "0.3.0", "0.1.0": "0.1.0"}


class Drawn(Case):
    """Its recipe shifts two of the channels."""

    def _drawn(self) -> dict[str, Tensor]:
        found = super()._drawn()
        for name, value in found.items():
            shift = re.search(r"r\[:,2:4\]\+=(-?[\d.]+)", self.meta["inputs"][name]["recipe"])
            if shift:
                value[:, 2:4] += float(shift[1])
        return found


def replay(case: Case) -> None:
    case = Drawn(case.path)
    for dtype in ("f32", "f64"):
        if dtype in case.meta["expected"]:
            run(case, dtype)


def head_of(case: Case) -> Head:
    strides, raw = case.settings["strides"], [case.inputs[f"raw{i}"].shape for i in range(len(case.settings["strides"]))]
    levels = [Level(f"P{s.bit_length() - 1}", s, shape[2], shape[3]) for s, shape in zip(strides, raw, strict=True)]
    return Head("recorded", tuple(levels), case.settings["nc"], tuple(case.settings["imgsz_hw"]))


def targets_of(case: Case, dtype: str) -> Targets:
    """As many rows of an image as have a positive sum, counted from its first: a zero row in between is taken for a box."""
    labels = case.inputs["labels"].to(DTYPE[dtype])
    counts = (labels.sum(2) > 0).sum(1).tolist()
    rows = torch.cat([labels[i, :n] for i, n in enumerate(counts)])
    image = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    return Targets(image, rows[:, 0].long(), rows[:, 1:], len(counts), "cxcywh_px")


def run(case: Case, dtype: str) -> None:
    head, targets, profile = head_of(case), targets_of(case, dtype), PROFILES[case.ref]
    hyp = yolox.Hyp(use_l1=case.settings["use_l1"], iou_loss=case.settings["iou_loss"])
    raw = [case.inputs[f"raw{i}"].clone().to(DTYPE[dtype]).requires_grad_() for i in range(len(head.levels))]
    predictions = DensePredictions([tensor.permute(0, 2, 3, 1)[:, None] for tensor in raw])
    assignment = yolox.assign(head, hyp, targets, predictions, profile=profile)
    breakdown = yolox.loss(head, hyp, targets, predictions, assignment, profile=profile)
    breakdown.total.backward()
    wanted = case.expected(dtype)
    values = [breakdown.total, *(breakdown.item(name) for name in yolox.TERMS), breakdown.extra["positives_per_box"]]
    close([float(torch.as_tensor(value).detach()) for value in values], wanted["values"], dtype, "values")
    close([float(tensor.grad.norm()) for tensor in raw], wanted["grad_l2"], dtype, "gradient norm")
    matches(case, dtype, head, targets, assignment, wanted["num_fg_per_image"])


def matches(case: Case, dtype: str, head: Head, targets: Targets, assignment: Assignment, counts: dict[str, int]) -> None:
    sizes = torch.tensor([level.rows * level.cols for level in head.levels])
    cols = torch.tensor([level.cols for level in head.levels])
    flat = (sizes.cumsum(0) - sizes)[assignment.level] + assignment.row * cols[assignment.level] + assignment.col
    for image in range(targets.images):
        rows = assignment.image == image
        assert int(rows.sum()) == counts.get(str(image), 0), f"positives of image {image}"
        if not rows.any():
            continue
        first = int(torch.nonzero(targets.image == image)[0])
        gt = assignment.gt[rows]
        equal(flat[rows], case.out(dtype, f"img{image}.fg_anchor_idx"), f"cells of image {image} {dtype}")
        equal(gt - first, case.out(dtype, f"img{image}.matched_gt"), f"boxes of image {image} {dtype}")
        equal(targets.cls[gt], case.out(dtype, f"img{image}.matched_cls"), f"classes of image {image} {dtype}")
        recorded = case.tensors.get(f"out.{dtype}.img{image}.matched_iou", case.tensors[f"out.f32.img{image}.matched_iou"])
        close(assignment.extra["iou"][rows], recorded, "f32", f"overlaps of image {image}", scale=1.0)
