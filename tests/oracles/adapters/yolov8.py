"""Recorded ultralytics cases: assignment, scores, items, what is returned for backward, gradients."""

from __future__ import annotations

import pytest
import torch
from case import Case
from compare import DTYPE, close, equal

from detloss_cli.families import yolov8
from detloss_cli.inputs.head import Head, Level
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.targets.assignment import Assignment, Targets
from detloss_cli.targets.centre_inside import corners_px

PROFILE = {"8.1.0": "8.1"}  # the others have the release's own name


def replay(case: Case) -> None:
    profile = PROFILE.get(str(case.ref), str(case.ref))
    if profile not in yolov8.PROFILES:
        pytest.skip(f"yolov8 profile {profile} is not built yet")
    for dtype in ("f32", "f64"):
        run(case, dtype, head_of(case), hyp_of(case), profile)


def head_of(case: Case) -> Head:
    """The recorded head, its size taken from the maps."""
    levels = []
    for index, stride in enumerate(case.settings["strides"]):
        rows, cols = case.meta["inputs"][f"feat{index}"]["shape"][2:]
        levels.append(Level(f"P{stride.bit_length() - 1}", stride, rows, cols))
    size, end2end = tuple(case.settings["imgsz_hw"]), case.settings.get("end2end", False)
    return yolov8.outputs(Head("recorded", tuple(levels), case.settings["nc"], size, case.settings["reg_max"], end2end), "")


def hyp_of(case: Case) -> yolov8.Hyp:
    gains, tal = case.settings["hyp"], case.settings["tal"]
    weights = case.settings.get("class_weights")
    return yolov8.Hyp(
        box=gains["box"],
        cls=gains["cls"],
        dfl=gains["dfl"],
        topk=tal["topk"],
        kept=tal["topk2"],
        alpha=tal["alpha"],
        beta=tal["beta"],
        class_weights=tuple(weights) if weights else None,
    )


def targets_of(case: Case, dtype: str) -> Targets:
    rows = case.inputs["targets"].to(DTYPE[dtype])
    return Targets(rows[:, 0].long(), rows[:, 1].long(), rows[:, 2:6], case.settings["batch"])


def run(case: Case, dtype: str, head: Head, hyp: yolov8.Hyp, profile: str) -> None:
    maps = [case.inputs[f"feat{i}"].to(DTYPE[dtype]).clone().requires_grad_() for i in range(len(head.levels))]
    predictions = DensePredictions([m.permute(0, 2, 3, 1)[:, None] for m in maps])
    targets = targets_of(case, dtype)
    assignment = yolov8.assign(head, hyp, targets, predictions, profile=profile)
    breakdown = yolov8.loss(head, hyp, targets, predictions, assignment, profile=profile)
    value = yolov8.returned(breakdown, profile)
    value.sum().backward()

    wanted = case.expected(dtype)
    rows(case, dtype, head, targets, assignment, profile)
    assert len(assignment) == wanted["n_fg"]
    assert int((assignment.extra["score"] > 0).sum()) == wanted["n_fg_score_gt0"]
    close(assignment.extra["score"].sum(), wanted["target_scores_sum"], dtype, "sum of scores")
    assert value.ndim == (1 if isinstance(wanted["loss_returned"], list) else 0)
    close(value, wanted["loss_returned"], dtype, "returned")
    close(yolov8.items(head, hyp, breakdown, profile), wanted["items"], dtype, "items")
    if not head.end2end:
        close(breakdown.total, sum(wanted["items"]), dtype, "total")
    close([float(m.grad.norm()) for m in maps], wanted["grad_l2"], dtype, "gradient norm")


def rows(case: Case, dtype: str, head: Head, targets: Targets, assignment: Assignment, profile: str) -> None:
    """Slots, boxes by their number in the image, their corners and scores."""
    starts = torch.tensor([sum(level.slots for level in head.levels[:i]) for i in range(len(head.levels))])
    cols = torch.tensor([level.cols for level in head.levels])
    anchor = starts[assignment.level] + assignment.row * cols[assignment.level] + assignment.col
    equal(torch.stack((assignment.image, anchor), 1), case.out(dtype, "fg_b_anchor"), f"slots {dtype}")
    within = torch.tensor([int((targets.image[:i] == targets.image[i]).sum()) for i in range(len(targets.image))], dtype=torch.int64)
    equal(within[assignment.gt], case.out(dtype, "gt_idx"), f"boxes {dtype}")
    corners = corners_px(targets, head.levels, yolov8.PROFILES[profile].boxes)
    close(corners[assignment.gt], case.out(dtype, "target_box_xyxy"), "f32", "target boxes", scale=1.0)
    close(assignment.extra["score"], case.out(dtype, "target_score"), dtype, "scores")
