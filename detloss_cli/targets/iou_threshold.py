"""Assignment by IoU with anchors: positive above one threshold, background below another, and every box's best anchors rescued.

Source: arXiv 1506.01497, section 3.1.2; behaviour of torchvision 0.29.1, Matcher with low-quality matches. For numpy and torch alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from array_api_compat import array_namespace, device

from detloss_cli.geometry.anchor_boxes import anchor_boxes, every_slot
from detloss_cli.geometry.iou import iou
from detloss_cli.inputs.head import Level
from detloss_cli.targets.assignment import Array, Assignment, Targets

COLUMNS = ("level", "image", "anchor", "row", "col")


def assign_by_iou(
    targets: Targets, levels: Sequence[Level], imgsz: tuple[int, int], *, positive: float = 0.5, background: float = 0.4
) -> Assignment:
    """Each anchor takes the box of its image that it overlaps most, the first of equals, if that is enough.

    IoU >= positive: the anchor is the box's. background <= IoU < positive: the anchor is ignored. Less: background. Besides, every anchor
    whose IoU with some box equals that box's highest goes to the box that the anchor itself overlaps most, which may be another one. A box
    that overlaps no anchor at all has a highest IoU of 0, and so rescues all anchors that do not touch it.

    Args:
        targets: boxes (N, 4) `xyxy_px`. imgsz: height and width, px.

    Returns:
        Rows by image, level, row, col, anchor. extra: `iou`. of_targets: `best_iou`, and `rival`, the box its best anchor went to, (N,).
        ignored: in the same order.
    """
    xp, where = array_namespace(targets.boxes), device(targets.boxes)
    slots = [every_slot(level, targets.boxes) for level in levels]
    anchors = xp.concat([anchor_boxes(level, imgsz, *slot, targets.boxes) for level, slot in zip(levels, slots, strict=True)])
    level = xp.concat([xp.zeros_like(slot[0]) + index for index, slot in enumerate(slots)])
    anchor, row, col = (xp.concat([slot[i] for slot in slots]) for i in range(3))

    count = targets.boxes.shape[0]
    nothing = xp.zeros((0,), dtype=xp.int64, device=where)
    index, image, gt, overlap = [nothing], [nothing], [nothing], [xp.zeros((0,), dtype=targets.boxes.dtype, device=where)]
    skipped, skipped_image = [nothing], [nothing]
    best_iou = xp.zeros((count,), dtype=targets.boxes.dtype, device=where)
    rival = xp.zeros((count,), dtype=xp.int64, device=where)
    for number in range(targets.images):
        boxes = xp.nonzero(targets.image == number)[0]
        if boxes.shape[0] == 0:
            continue
        pairs = iou(targets.boxes[boxes, :][:, None, :], anchors[None, :, :])
        highest, owner = xp.max(pairs, axis=0), xp.argmax(pairs, axis=0)
        best = xp.max(pairs, axis=1)
        taken = (highest >= positive) | xp.any(pairs == best[:, None], axis=0)
        between = ~taken & ~(highest < background)
        best_iou[boxes], rival[boxes] = best, boxes[owner[xp.argmax(pairs, axis=1)]]
        mine, between = xp.nonzero(taken)[0], xp.nonzero(between)[0]
        index.append(mine)
        image.append(xp.zeros_like(mine) + number)
        gt.append(boxes[owner[mine]])
        overlap.append(highest[mine])
        skipped.append(between)
        skipped_image.append(xp.zeros_like(between) + number)

    def slots_of(chosen: Array, images: Array) -> dict[str, Array]:
        return dict(zip(COLUMNS, (level[chosen], images, anchor[chosen], row[chosen], col[chosen]), strict=True))

    found = Assignment(**slots_of(xp.concat(index), xp.concat(image)), gt=xp.concat(gt), extra={"iou": xp.concat(overlap)})
    return replace(
        found,
        of_targets={"best_iou": best_iou, "rival": rival},
        ignored=slots_of(xp.concat(skipped), xp.concat(skipped_image)),
    )
