"""Recorded keras-yolo3 cases: every row of y_true, ignored cells, terms by level, total, gradients."""

from __future__ import annotations

import torch
from case import Case
from compare import DTYPE, close, equal

from detloss_cli.families import keras_yolo3
from detloss_cli.inputs.head import Head, Level
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.targets.assignment import Assignment, Targets
from detloss_cli.targets.best_anchor import target_rows

PROFILE = "master"


def replay(case: Case) -> None:
    head, hyp = head_of(case), keras_yolo3.Hyp(ignore_thresh=case.settings["ignore_thresh"])
    targets = targets_of(case)
    assignment = keras_yolo3.assign(head, hyp, targets, profile=PROFILE)
    for index in range(len(head.levels)):
        rows(case, head, index, targets, assignment)
    for dtype in ("f32", "f64"):
        run(case, dtype, head, hyp, targets, assignment)


def head_of(case: Case) -> Head:
    """The head of a case: coarse to fine, each level with its third of the anchors."""
    height, width = case.settings["imgsz_hw"]
    strides, anchors = case.settings["strides"], [tuple(anchor) for anchor in case.settings["anchors_px"]]
    levels = []
    for place, stride in enumerate(strides):
        first = 3 * (len(strides) - 1 - place)
        levels.append(Level(f"P{stride.bit_length() - 1}", stride, height // stride, width // stride, tuple(anchors[first : first + 3])))
    return Head("recorded", tuple(levels), case.settings["nc"], (height, width))


def targets_of(case: Case) -> Targets:
    """All rows of the padded array, those of zeros included: upstream's index of anchors runs over them."""
    rows = case.inputs["true_boxes"]
    image = torch.arange(rows.shape[0]).repeat_interleave(rows.shape[1])
    flat = rows.reshape(-1, 5)
    return Targets(image, flat[:, 4].long(), flat[:, :4], rows.shape[0], keras_yolo3.FRAME)


def rows(case: Case, head: Head, index: int, targets: Targets, assignment: Assignment) -> None:
    chosen = assignment.level == index
    slots = torch.stack([column[chosen] for column in (assignment.image, assignment.row, assignment.col, assignment.anchor)], dim=1)
    values = target_rows(targets, assignment, keras_yolo3.plan(head))[chosen]
    order = ordered(slots)
    equal(slots[order], case.tensors[f"out.L{index}.pos_b_j_i_k"], f"positives of level {index}")
    recorded = case.tensors[f"out.L{index}.pos_values"]
    torch.testing.assert_close(values[order], recorded.reshape(-1, values.shape[1]), rtol=0, atol=0, equal_nan=True)


def ordered(slots: torch.Tensor) -> list[int]:
    """Rows sorted by image, row, col, anchor, as the recorded ones are."""
    return sorted(range(len(slots)), key=lambda row: slots[row].tolist())


def run(case: Case, dtype: str, head: Head, hyp: keras_yolo3.Hyp, targets: Targets, assignment: Assignment) -> None:
    raw = [case.inputs[f"pred{i}"].to(DTYPE[dtype]).clone().requires_grad_() for i in range(len(head.levels))]
    levels = [p.reshape(*p.shape[:3], 3, -1).permute(0, 3, 1, 2, 4) for p in raw]
    breakdown = keras_yolo3.loss(head, hyp, targets, DensePredictions(levels), assignment, profile=PROFILE)
    breakdown.total.backward()
    wanted = case.expected(dtype)
    close(breakdown.total, wanted["loss"], dtype, "loss")
    for index, layer in enumerate(wanted["layers"]):
        for name in keras_yolo3.TERMS:
            value = [term.value for term in breakdown.terms if term.name == name and term.level == index]
            close(value[0], layer[name], dtype, f"{name} of level {index}")
    close([float(p.grad.norm()) for p in raw], wanted["grad_l2_layer"], dtype, "gradient norm")
    close([int((assignment.level == i).sum()) for i in range(len(raw))], case.meta["expected"]["n_pos_layer"], dtype, "positives")
    if dtype == "f64":  # in float32 a cell may stand on either side of the threshold
        for index, cells in enumerate(breakdown.extra["ignored"]):
            found = torch.nonzero(cells.permute(0, 2, 3, 1))
            equal(found, case.tensors[f"out.L{index}.ignored_b_j_i_k"].reshape(-1, 4), f"ignored cells of level {index}")
