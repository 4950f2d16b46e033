"""Recorded yolov5 cases: assignment row by row, terms by level, items, total, gradients."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from case import Case
from compare import DTYPE, close, equal

from detloss_cli.families import yolov5
from detloss_cli.inputs.head import Head, Level
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.targets.anchor_ratio import anchors_in_cells, cell_boxes
from detloss_cli.targets.assignment import Assignment, Targets

KEYS = ("box", "cls", "cls_pw", "obj", "obj_pw", "anchor_t", "fl_gamma", "label_smoothing")


def replay(case: Case) -> None:
    profile = str(case.ref).removeprefix("v")
    if profile not in yolov5.PROFILES:
        pytest.skip(f"yolov5 profile {profile} is not built yet")
    head, hyp = head_of(case), hyp_of(case, yolov5.PROFILES[profile].box_key)
    for dtype in ("f32", "f64"):
        run(case, dtype, head, hyp, profile)


def head_of(case: Case) -> Head:
    """The head of a case, anchors in pixels as recorded."""
    height, width = case.settings["imgsz_hw"]
    levels = []
    for stride, flat in zip(case.settings["strides"], case.settings["anchors_px"], strict=True):
        anchors = tuple(zip(flat[0::2], flat[1::2], strict=True))
        levels.append(Level(f"P{stride.bit_length() - 1}", stride, height // stride, width // stride, anchors))
    return Head("recorded", tuple(levels), case.settings["nc"], (height, width))


def hyp_of(case: Case, box_key: str) -> yolov5.Hyp:
    recorded = case.settings["hyp"]
    hyp = yolov5.Hyp(**{key: recorded[key] for key in KEYS if key in recorded})
    return replace(
        hyp,
        box=recorded[box_key],
        gr=case.settings["gr"],
        autobalance=case.settings["autobalance"],
        sort_obj_iou=case.settings["sort_obj_iou"],
    )


def targets_of(case: Case, dtype: str) -> Targets:
    rows = case.inputs["targets"].to(DTYPE[dtype])
    return Targets(rows[:, 0].long(), rows[:, 1].long(), rows[:, 2:6], case.settings["batch"])


def run(case: Case, dtype: str, head: Head, hyp: yolov5.Hyp, profile: str) -> None:
    levels = [case.inputs[f"pred{i}"].to(DTYPE[dtype]).clone().requires_grad_() for i in range(len(head.levels))]
    targets = targets_of(case, dtype)
    assignment = yolov5.assign(head, hyp, targets, profile=profile)
    state, trail = None, []
    for _ in range(case.settings["calls"]):
        breakdown = yolov5.loss(head, hyp, targets, DensePredictions(levels), assignment, profile=profile, state=state)
        state = breakdown.state
        trail.append(list(state))
    total = breakdown.total * breakdown.batch_factor
    total.backward()
    wanted = case.expected(dtype)
    close(total, wanted["loss_times_bs"], dtype, "loss x batch")
    items = [breakdown.item(name) for name in yolov5.TERMS]
    extra = [breakdown.total] if yolov5.PROFILES[profile].items == 4 else []
    close(torch.stack(items + extra), wanted["items"], dtype, "items")
    recorded = wanted.get("balance_after_each_call", [])
    for weights, want in zip(trail, recorded, strict=bool(recorded)):
        close(weights, want[: len(levels)], dtype, "balance")  # upstream keeps weights for levels that the head lacks
    close([int((assignment.level == i).sum()) for i in range(len(levels))], wanted["n_pos_layer"], dtype, "positives")
    for name in yolov5.TERMS:
        raw = [term.raw for term in breakdown.terms if term.name == name]
        if f"l{name}_layer_unweighted_mean" in wanted:  # releases before 5.0 recorded the items only
            close(torch.stack(raw), wanted[f"l{name}_layer_unweighted_mean"], dtype, f"{name} by level")
    close([float(p.grad.norm()) for p in levels], wanted["grad_l2_layer"], dtype, "gradient norm")
    close([float(p.grad.abs().sum()) for p in levels], wanted["grad_abs_sum_layer"], dtype, "gradient sum")
    for index in range(len(levels)):
        rows(case, dtype, head, index, targets, assignment, breakdown.extra, levels[index].grad)


def rows(case: Case, dtype: str, head: Head, index: int, targets: Targets, assignment: Assignment, extra: dict, grad: torch.Tensor) -> None:
    chosen = assignment.level == index
    recorded = case.out(dtype, f"L{index}.b_a_gj_gi_cls")
    if recorded is None:
        return
    slot = tuple(column[chosen] for column in (assignment.image, assignment.anchor, assignment.row, assignment.col))
    equal(torch.stack((*slot, targets.cls[assignment.gt[chosen]]), 1), recorded, f"rows of level {index} {dtype}")
    level = head.levels[index]
    checks = {
        "tbox": cell_boxes(targets, assignment, level, chosen),
        "anchor": anchors_in_cells(level, targets.boxes)[slot[1]],
        "iou": extra["overlap"][chosen],
        "grad_at_pos": grad[slot] if dtype == "f64" else None,
    }
    for name, value in checks.items():
        want = case.tensors.get(f"out.{dtype}.L{index}.{name}")
        if want is not None and value is not None:
            tolerance = "f32" if want.dtype == torch.float32 else dtype
            close(value, want, tolerance, f"{name} of level {index}", scale=1.0)
