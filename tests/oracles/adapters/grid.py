"""What the recorded cases of heads with anchors and objectness have in common."""

from __future__ import annotations

from typing import Any

import torch
from case import Case
from compare import DTYPE, close, equal

from detloss_cli.inputs.head import Head, Level
from detloss_cli.losses.term import LossBreakdown
from detloss_cli.targets.anchor_ratio import anchors_in_cells, cell_boxes
from detloss_cli.targets.assignment import Assignment, Targets
from detloss_cli.targets.slots import slot_keys


def head_of(case: Case) -> Head:
    """The head of a case, anchors in pixels as recorded."""
    height, width = case.settings["imgsz_hw"]
    levels = []
    for stride, flat in zip(case.settings["strides"], case.settings["anchors_px"], strict=True):
        anchors = tuple(zip(flat[0::2], flat[1::2], strict=True))
        levels.append(Level(f"P{stride.bit_length() - 1}", stride, height // stride, width // stride, anchors))
    return Head("recorded", tuple(levels), case.settings["nc"], (height, width))


def targets_of(case: Case, dtype: str) -> Targets:
    rows = case.inputs["targets"].to(DTYPE[dtype])
    return Targets(rows[:, 0].long(), rows[:, 1].long(), rows[:, 2:6], case.settings["batch"])


def predictions_of(case: Case, dtype: str, count: int) -> list[torch.Tensor]:
    """The recorded head outputs, fresh leaves that take gradients."""
    return [case.inputs[f"pred{i}"].to(DTYPE[dtype]).clone().requires_grad_() for i in range(count)]


def check_terms(breakdown: LossBreakdown, wanted: dict[str, Any], names: tuple[str, ...], items: int, dtype: str) -> None:
    """Items, and the terms of each level before any gain."""
    values = [breakdown.item(name) for name in names]
    close(torch.stack(values + ([breakdown.total] if items == 4 else [])), wanted["items"], dtype, "items")
    for name in names:
        raw = torch.stack([term.raw for term in breakdown.terms if term.name == name])
        if f"l{name}_layer_unweighted_mean" in wanted:
            close(raw, wanted[f"l{name}_layer_unweighted_mean"], dtype, f"{name} by level")
    if "layers_unweighted_lbox_lobj_lcls" in wanted:
        rows = [
            [float(term.raw.detach()) for term in breakdown.terms if term.level == i] for i in range(len(breakdown.terms) // len(names))
        ]
        close(rows, wanted["layers_unweighted_lbox_lobj_lcls"], dtype, "terms by level")


def check_gradients(levels: list[torch.Tensor], wanted: dict[str, Any], dtype: str) -> None:
    norms = wanted.get("grad_l2_layer", wanted.get("grad_l2"))
    close([float(p.grad.norm()) for p in levels], norms, dtype, "gradient norm")
    if "grad_abs_sum_layer" in wanted:
        close([float(p.grad.abs().sum()) for p in levels], wanted["grad_abs_sum_layer"], dtype, "gradient sum")


def check_objectness(case: Case, dtype: str, head: Head, assignment: Assignment, extra: dict[str, Any], images: int) -> None:
    """The objectness target that stands at each row once a slot that several rows claim has its last writer, and its sum."""
    wanted, keys = case.expected(dtype), slot_keys(assignment, head.levels, images)
    for index in range(len(head.levels)):
        chosen = assignment.level == index
        slots, inverse = torch.unique(keys[chosen], return_inverse=True)
        standing = torch.zeros(len(slots), dtype=extra["objectness_target"].dtype)
        wins = extra["wins"][chosen]
        standing[inverse[wins]] = extra["objectness_target"][chosen][wins]
        for name, value in (("tobj_sum_layer", standing.sum()), ("tobj_nonzero_layer", (standing != 0).sum())):
            if name in wanted:
                close(value, wanted[name][index], dtype, f"{name} of level {index}")
        recorded = case.tensors.get(f"out.{dtype}.L{index}.tobj_at_pos")
        if recorded is not None:
            close(standing[inverse], recorded, dtype, f"objectness target of level {index}", scale=1.0)


def check_rows(
    case: Case, dtype: str, head: Head, targets: Targets, assignment: Assignment, overlap: torch.Tensor, grads: list[torch.Tensor]
) -> None:
    """Each level's rows: the slot and class in order, box, anchor, overlap and gradient at the slot."""
    for index, level in enumerate(head.levels):
        chosen = assignment.level == index
        recorded = case.out(dtype, f"L{index}.b_a_gj_gi_cls")
        if recorded is None:
            continue
        slot = tuple(column[chosen] for column in (assignment.image, assignment.anchor, assignment.row, assignment.col))
        equal(torch.stack((*slot, targets.cls[assignment.gt[chosen]]), 1), recorded, f"rows of level {index} {dtype}")
        checks = {
            "tbox": cell_boxes(targets, assignment, level, chosen),
            "anchor": anchors_in_cells(level, targets.boxes)[slot[1]],
            "iou": overlap[chosen],
            "giou": overlap[chosen],
            "grad_at_pos": grads[index][slot] if dtype == "f64" else None,
        }
        for name, value in checks.items():
            want = case.tensors.get(f"out.{dtype}.L{index}.{name}")
            if want is not None and value is not None:
                close(value, want, "f32" if want.dtype == torch.float32 else dtype, f"{name} of level {index}", scale=1.0)
