"""Recorded yolov5 cases: assignment row by row, terms by level, items, total, gradients."""

from __future__ import annotations

from dataclasses import replace

import pytest
from adapters.grid import check_gradients, check_objectness, check_rows, check_terms, head_of, predictions_of, targets_of
from case import Case
from compare import close

from detloss_cli.families import yolov5
from detloss_cli.inputs.head import Head
from detloss_cli.predictions.interface import DensePredictions

KEYS = ("box", "cls", "cls_pw", "obj", "obj_pw", "anchor_t", "fl_gamma", "label_smoothing")

LATEST = "7.0"  # whose maths later commits keep


def replay(case: Case) -> None:
    profile = LATEST if case.ref in ("master", "HEAD") else str(case.ref).removeprefix("v")
    if profile not in yolov5.PROFILES:
        pytest.skip(f"yolov5 profile {profile} is not built yet")
    head, hyp = head_of(case), hyp_of(case, yolov5.PROFILES[profile].box_key)
    for dtype in ("f32", "f64"):
        run(case, dtype, head, hyp, profile)


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


def run(case: Case, dtype: str, head: Head, hyp: yolov5.Hyp, profile: str) -> None:
    levels = predictions_of(case, dtype, len(head.levels))
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
    recorded = wanted.get("balance_after_each_call", [])
    for weights, want in zip(trail, recorded, strict=bool(recorded)):
        close(weights, want[: len(levels)], dtype, "balance")  # upstream keeps weights for levels that the head lacks
    close([int((assignment.level == i).sum()) for i in range(len(levels))], wanted["n_pos_layer"], dtype, "positives")
    check_terms(breakdown, wanted, yolov5.TERMS, yolov5.PROFILES[profile].items, dtype)
    check_gradients(levels, wanted, dtype)
    check_objectness(case, dtype, head, assignment, breakdown.extra, case.settings["batch"])
    check_rows(case, dtype, head, targets, assignment, breakdown.extra["overlap"], [level.grad for level in levels])
