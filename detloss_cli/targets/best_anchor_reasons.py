"""Why a best-anchor assignment leaves a box without a positive, which boxes it cannot take, and which make the loss infinite."""

from __future__ import annotations

from array_api_compat import array_namespace

from detloss_cli.targets.assignment import Array, Assignment, Targets, without_rows
from detloss_cli.targets.best_anchor import AnchorMasks, cells, class_in_range, fit_anchors, written
from detloss_cli.targets.slots import slot_keys

Reasons = dict[int, tuple[str, str]]


def best_anchor_reasons(targets: Targets, assignment: Assignment, plan: AnchorMasks) -> Reasons:
    """Key and text for each target without a row.

    class_out_of_range, outside_grid: as in `refused_targets`. zero_width: only boxes wider than 0 get an anchor. anchor_shifted: a box
    without width earlier in the image moved the anchors on by one. anchor_in_no_mask: no level takes the best anchor.
    lost_the_cell: a later box of the image has the same cell and anchor.
    """
    left_out = without_rows(targets, assignment)
    found = {gt: reason for gt, reason in refused_targets(targets, plan).items() if gt in set(left_out.tolist())}
    fit = fit_anchors(targets, plan)
    used = {anchor for mask in plan.masks for anchor in mask}
    columns = (left_out, fit.anchor[left_out], fit.wide[left_out], targets.boxes[left_out, :], fit.iou[left_out])
    for gt, anchor, wide, corners, overlap in zip(*(column.tolist() for column in columns), strict=True):
        if gt in found:
            continue
        size = f"{corners[2] - corners[0]:.4g}x{corners[3] - corners[1]:.4g} px"
        if anchor < 0 and not wide:
            found[gt] = ("zero_width", f"{size}: only boxes wider than 0 get an anchor")
        elif anchor < 0:
            found[gt] = ("anchor_shifted", f"{size}: an earlier box of the image has no width, so the last box gets no anchor")
        elif anchor not in used:
            found[gt] = ("anchor_in_no_mask", f"{size}: best anchor {_anchor(plan, anchor)} (IoU {overlap:.2f}) is in the mask of no level")
    found.update(_lost(targets, assignment, plan, [gt for gt in left_out.tolist() if gt not in found]))
    return dict(sorted(found.items()))


def refused_targets(targets: Targets, plan: AnchorMasks) -> Reasons:
    """Key and text for each target that upstream raises an error over.

    class_out_of_range: AssertionError. outside_grid: the centre lies on or beyond the right or lower edge, or further out on the other
    side than the input is wide: IndexError.
    """
    xp = array_namespace(targets.boxes)
    found: Reasons = {}
    (bad,) = xp.nonzero(~class_in_range(targets, plan))
    for gt, cls in zip(bad.tolist(), targets.cls[bad].tolist(), strict=True):
        found[gt] = ("class_out_of_range", f"class {cls} of {plan.num_classes}: keras-yolo3 stops with an error")
    fit = fit_anchors(targets, plan)
    height, width = plan.imgsz
    for level, mask in zip(plan.levels, plan.masks, strict=True):
        inside, _, _ = cells(fit, level)
        for gt, anchor, centre in _rows(~inside, fit.anchor, fit.boxes):
            if anchor in mask and gt not in found:
                at = f"({centre[0] * width:.0f}, {centre[1] * height:.0f})"
                found[gt] = ("outside_grid", f"centre {at} px is not inside {width}x{height}: keras-yolo3 raises IndexError")
    return found


def infinite_targets(targets: Targets, assignment: Assignment, plan: AnchorMasks) -> Reasons:
    """Key and text for each target whose row makes the wh term infinite or NaN: the target is log(side), and the side is not above 0.

    zero_height, negative_height: only the width is looked at before an anchor is given. zero_width: a box that took another's anchor.
    """
    boxes = fit_anchors(targets, plan).boxes[assignment.gt, :]
    found: Reasons = {}
    for _, gt, (_, _, w, h) in _rows(~((boxes[:, 2] > 0) & (boxes[:, 3] > 0)), assignment.gt, boxes):
        size = f"{w * plan.imgsz[1]:.4g}x{h * plan.imgsz[0]:.4g} px"
        value = "infinite" if min(w, h) == 0 else "NaN"
        if not w > 0:
            found[gt] = ("zero_width", f"{size} took the anchor of a later box: log of its size makes the loss {value}")
        else:
            found[gt] = ("zero_height" if h == 0 else "negative_height", f"{size} has an anchor: log of its height makes the loss {value}")
    return dict(sorted(found.items()))


def _lost(targets: Targets, assignment: Assignment, plan: AnchorMasks, left: list[int]) -> Reasons:
    """The slot that each of these targets was written to, and the target that stands there now."""
    every = written(targets, plan)
    standing = (slot_keys(assignment, plan.levels, targets.images), targets.cls[assignment.gt], targets.boxes[assignment.gt, :])
    winner = {
        key: f" (class {cls}, {box[2] - box[0]:.4g}x{box[3] - box[1]:.4g} px)"
        for key, cls, box in zip(*(column.tolist() for column in standing), strict=True)
    }
    keys = slot_keys(every, plan.levels, targets.images)
    wanted = set(left)
    found: Reasons = {}
    columns = (every.gt, keys, every.level, every.row, every.col, every.anchor)
    for gt, key, level, row, col, anchor in zip(*(column.tolist() for column in columns), strict=True):
        if gt in wanted:
            shape = _anchor(plan, plan.masks[level][anchor])
            place = f"row {row}, column {col} of {plan.levels[level].name}, anchor {shape}"
            found[gt] = ("lost_the_cell", f"{place}: a later box of the image{winner.get(key, '')} takes the slot")
    return found


def _rows(mask: Array, *columns: Array) -> list[tuple[Array, ...]]:
    """The chosen rows as plain numbers, each after its index."""
    (index,) = array_namespace(mask).nonzero(mask)
    return list(zip(index.tolist(), *(column[index].tolist() for column in columns), strict=True))


def _anchor(plan: AnchorMasks, index: int) -> str:
    width, height = plan.anchors[index]
    return f"{width:g}x{height:g}"
