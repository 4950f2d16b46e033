"""Recorded yolov7 cases: plain, OTA and auxiliary losses; rows with their targets, terms by level, items, total, gradients."""

from __future__ import annotations

from dataclasses import replace

import torch
from adapters.grid import check_gradients, check_terms, head_of, predictions_of, targets_of
from case import Case
from compare import close, equal

from detloss_cli.families import yolov7
from detloss_cli.inputs.head import Head
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.targets.anchor_ratio import anchors_in_cells, cell_boxes
from detloss_cli.targets.assignment import Assignment, Targets

PROFILES = {"ComputeLoss": "plain", "ComputeLossOTA": "ota", "ComputeLossAuxOTA": "aux"}


def replay(case: Case) -> None:
    profile = PROFILES[case.settings["loss_class"]]
    lead = head_of(case)
    head = yolov7.outputs(lead, profile)
    hyp = replace(yolov7.Hyp(**case.settings["hyp"]), gr=case.settings["gr"], autobalance=case.settings["autobalance"])
    for dtype in ("f32", "f64"):
        run(case, dtype, head, hyp, profile, len(lead.levels))


def run(case: Case, dtype: str, head: Head, hyp: yolov7.Hyp, profile: str, lead: int) -> None:
    levels = predictions_of(case, dtype, len(head.levels))
    targets, dense, state = targets_of(case, dtype), DensePredictions(levels), None
    assignment = yolov7.assign(head, hyp, targets, dense, profile=profile)
    for _ in range(case.settings["calls"]):
        breakdown = yolov7.loss(head, hyp, targets, dense, assignment, profile=profile, state=state)
        state = breakdown.state
    total = breakdown.total * breakdown.batch_factor
    total.backward()
    wanted = case.expected(dtype)
    close(total, wanted["loss_times_bs"], dtype, "loss x batch")
    check_terms(breakdown, wanted, yolov7.TERMS, 4, dtype)
    check_gradients(levels, wanted, dtype)
    counts = [int((assignment.level == i).sum()) for i in range(len(head.levels))]
    close(counts, wanted["n_pos_layer"] + wanted.get("n_pos_aux_layer", []), dtype, "positives")
    for index in range(len(head.levels)):
        name = f"L{index}" if index < lead else f"aux.L{index - lead}"
        check_level(case, dtype, name, head, index, targets, assignment)
        overlap = case.tensors.get(f"out.{dtype}.{name}.iou")
        if overlap is not None:
            close(breakdown.extra["overlap"][assignment.level == index], overlap, dtype, f"iou of {name}", scale=1.0)


def check_level(case: Case, dtype: str, name: str, head: Head, index: int, targets: Targets, assignment: Assignment) -> None:
    """The slots of a level in order, and the target of each."""
    recorded = case.out(dtype, f"{name}.b_a_gj_gi")
    if recorded is None:
        return
    chosen = assignment.level == index
    slot = tuple(column[chosen] for column in (assignment.image, assignment.anchor, assignment.row, assignment.col))
    equal(torch.stack(slot, 1), recorded, f"rows of {name} {dtype}")
    gt = assignment.gt[chosen]
    anchors = case.tensors.get(f"out.{dtype}.{name}.anchor")
    if anchors is not None:
        close(anchors_in_cells(head.levels[index], targets.boxes)[slot[1]], anchors, dtype, f"anchor of {name}")
    rows = case.tensors.get(f"out.{dtype}.{name}.target_rows")
    if rows is not None:
        found = torch.cat((targets.image[gt, None], targets.cls[gt, None], targets.boxes[gt]), 1)
        close(found, rows, dtype, f"target of {name}")
    boxes = case.tensors.get(f"out.{dtype}.{name}.cls_tbox")
    if boxes is not None:
        found = torch.cat((targets.cls[gt, None], cell_boxes(targets, assignment, head.levels[index], chosen)), 1)
        close(found, boxes, dtype, f"box of {name}")
