"""Rules about what the assignment does with the boxes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from detloss_cli.checks.facts_rule import FactsRule, Hit, facts_rule
from detloss_cli.checks.quoted import shortened
from detloss_cli.checks.rule import Rule, Words, rule
from detloss_cli.facts import Facts, LevelFacts
from detloss_cli.inputs.fault import Fault

BRING_BACK = "a larger --imgsz, nearer anchors or a finer level bring it back"
KEEP_APART = "a larger --imgsz or a finer level keeps them apart"


def box_without_positive(facts: Facts) -> Iterator[Hit]:
    """A box trains nothing: no slot of the head is assigned to it.

    Its pixels count as background, so the detector is told that the object is not there. The message says which test it fails, with the
    numbers of this box at the network input. More input pixels, anchors nearer to the data or a finer level bring it back.
    """
    boxes = facts.boxes
    if boxes is None:
        return
    for index in boxes.reason.some:
        yield Hit(f"no positive for this box: {boxes.text[index]}", BRING_BACK, boxes.path[index], int(boxes.line[index]))


def slot_collision(facts: Facts) -> Iterator[Hit]:
    """Two boxes compete for the same cell and anchor.

    Both are told to answer there; objectness is written once: on a CPU by the box that comes last in the trainer's order, on CUDA by
    either. Box and class terms count both. A larger input or a finer level keeps them apart.
    """
    boxes, pairs = facts.boxes, facts.collisions
    if boxes is None or pairs is None:
        return
    for pair in pairs:
        first, second = pair.first, pair.second
        other = f"line {boxes.line[first]}" if boxes.path[first] == boxes.path[second] else f"{boxes.path[first]}:{boxes.line[first]}"
        kind = "another box" if pair.same_class else "a box of another class"
        message = f"competes for the same cell and anchor of {pair.level} with {kind} at {other}"
        yield Hit(message, KEEP_APART, boxes.path[second], int(boxes.line[second]))
    rest = facts.assignment.collision_pairs - len(pairs) if facts.assignment is not None else 0
    if rest > 0:
        yield Hit(
            f"{rest:,} more pairs of boxes compete for a cell and anchor: the first {len(pairs):,} are listed", KEEP_APART, count=rest
        )


def infinite_loss(facts: Facts) -> Iterator[Hit]:
    """A box makes the loss infinite or NaN, and with it every weight of the network after one step.

    The trainer does not catch it: keras-yolo3 takes the logarithm of the height of each box whose width is above 0. The loss is shown
    as the trainer computes it.
    """
    boxes = facts.boxes
    if boxes is None:
        return
    for index, text in sorted(boxes.infinite.items()):
        yield Hit(text, "delete the row, or give the box a size", boxes.path[index], int(boxes.line[index]))


def batch_refused(facts: Facts) -> Iterator[Hit]:
    """This release of the trainer raises an error over the batch that the box is in: training stops there.

    yolov5 6.2 and 7.0 sort positives by their IoU if told to, and cannot sort the only one of a level. The loss is shown without the error.
    Which boxes share a batch changes from epoch to epoch: here the order is that of the files.
    """
    boxes = facts.boxes
    if boxes is None:
        return
    for index, text in sorted(boxes.stops.items()):
        yield Hit(text, "leave sort_obj_iou off, or train with 6.1", boxes.path[index], int(boxes.line[index]))


def level_without_positives(facts: Facts) -> Iterator[Hit]:
    """A level gets no positives: its box and class terms are 0 and it learns only to say no.

    Boxes of the sizes it is made for are missing, or its anchors do not fit them.
    """
    for level in facts.levels or ():
        if level.positives == 0 and facts.assignment is not None and facts.assignment.boxes:
            hint = "inspect anchors compares its anchors with the boxes" if level.anchors else None
            yield Hit(f"{level.level} (stride {level.stride}) gets no positives{_nearest(facts, level)}", hint)


def _nearest(facts: Facts, level: LevelFacts) -> str:
    """How far the box that suits a level best is off its anchors; without anchors, how large the boxes are."""
    boxes = facts.boxes
    real = np.flatnonzero((boxes.width > 0) & (boxes.height > 0)) if boxes is not None else np.zeros(0, dtype=np.int64)
    if boxes is None or not len(real):
        return ""
    sides = np.stack((boxes.width[real], boxes.height[real]), axis=1)
    if not level.anchors:
        roots = np.sqrt(sides.prod(axis=1))
        return f": boxes are {roots.min():.0f} to {roots.max():.0f} px, as sides of squares"
    ratios = sides[:, None] / np.asarray(level.anchors, dtype=np.float32)[None]
    worst = np.maximum(ratios, 1 / ratios).max(axis=2)
    box, anchor = np.unravel_index(int(worst.argmin()), worst.shape)
    wide, high = level.anchors[anchor]
    size = f"{sides[box, 0]:.1f}x{sides[box, 1]:.1f} px"
    return f": the box that suits it best, {size}, is {worst[box, anchor]:.1f}x off its anchor {wide:g}x{high:g}"


def nothing_to_compute(facts: Facts) -> Iterator[Hit]:
    """DATA holds no picture and no label file, so there is no batch to compute a loss of.

    A wrong folder, or a split whose folder is empty. `detloss inspect labels` says what it looked for, and where.
    """
    if facts.labels is not None and facts.labels.images == 0 and facts.data is not None:
        places = list(dict.fromkeys(place for split in facts.data.splits.values() for place in split))
        where = f" in {shortened(', '.join(places))}" if places else ""
        yield Hit(f"no picture and no label file was found{where}: there is nothing to compute", "inspect labels says what it looked for")


# What to do, by the key of the reason.
REFUSED: dict[str, str] = {
    "edge_of_grid": "move the centre inside the picture, or train with a later release",
    "outside_grid": "move the centre inside the picture",
    "off_map": "move the corners inside the picture",
    "max_objs": "give the trainer more room, or the picture fewer boxes",
}


def box_refused(fault: Fault) -> Words:
    """This release of the trainer raises an error over the box: training stops there.

    The box is left out of what follows. Some later releases clamp the cell of a centre that stands on the right or lower edge, others
    ignore what they have no room for.
    """
    return fault.detail, REFUSED.get(fault.token)


def beyond_max_boxes(fault: Fault) -> Words:
    """A picture has more boxes than the trainer keeps; the others count as background.

    keras-yolo3 shuffles the boxes of a picture first, so that it leaves out others in each epoch. Here the first ones of the file are kept.
    """
    return f"{fault.token} from here on are left out: the trainer keeps {fault.detail} a picture", "raise max_boxes in the hyp"


FAULT_RULES: tuple[Rule, ...] = (rule("DET404", "error", box_refused), rule("DET406", "warning", beyond_max_boxes))
RULES: tuple[FactsRule, ...] = (
    facts_rule("DET401", "warning", box_without_positive),
    facts_rule("DET402", "warning", slot_collision),
    facts_rule("DET403", "warning", level_without_positives),
    facts_rule("DET405", "error", infinite_loss),
    facts_rule("DET407", "error", nothing_to_compute),
    facts_rule("DET408", "error", batch_refused),
)
