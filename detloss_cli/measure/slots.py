"""The slots that boxes won, with what a head answers there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from detloss_cli.geometry.convert import cxcywh_to_xyxy, scaled_xy
from detloss_cli.geometry.iou import PLAIN, iou
from detloss_cli.inputs.head import Channels, Head
from detloss_cli.measure.batches import Batch
from detloss_cli.measure.run import Job
from detloss_cli.predictions.interface import Predictions
from detloss_cli.targets.assignment import Assignment, Targets
from detloss_cli.targets.slots import last_of_each, slot_keys


@dataclass(frozen=True, slots=True)
class Slots:
    """One row a slot. S slots.

    level: (S,). box: (S,) row of the labels. iou: (S,) of the decoded box with its target, NaN where the family decodes none. confidence:
    (S,) logit of the objectness, or of the target's class. own, answered: (S,) the target's class and the surest one. own_class: (S,) logit
    of the target's class. box_logits: (S, K) raw.
    """

    level: NDArray[np.int64]
    box: NDArray[np.int64]
    iou: NDArray[np.float64]
    confidence: NDArray[np.float64]
    own: NDArray[np.int64]
    answered: NDArray[np.int64]
    own_class: NDArray[np.float64]
    box_logits: NDArray[np.float64]


def won(head: Head, assignment: Assignment, images: int, wins: Tensor | None) -> Tensor:
    """(S,) int64: the rows of an assignment that hold their slot.

    Args:
        wins: (P,) bool where the loss says so itself; else the last row of each slot has it.
    """
    if wins is None:
        wins = last_of_each(slot_keys(assignment, head.levels, images))
    return torch.nonzero(wins).squeeze(1)


def layout(job: Job, width: int) -> Channels:
    """Where things stand among `width` channels: the classes are the last ones."""
    said = job.family.channels(job.head)
    start = width - job.head.num_classes
    return said if said.count == width else Channels(slice(0, start), said.obj, slice(start, width))


def read_slots(job: Job, batch: Batch, predictions: Predictions, assignment: Assignment, wins: Tensor | None) -> Slots:
    """The won slots of one batch, level by level."""
    head, targets = job.head, batch.targets
    rows = won(head, assignment, targets.images, wins)
    corners = corners_px(targets, head.imgsz)
    parts = []
    for index in range(len(head.levels)):
        here = rows[assignment.level[rows] == index]
        at = tuple(column[here] for column in (assignment.image, assignment.anchor, assignment.row, assignment.col))
        logits = predictions.at(index, *at)
        channels = layout(job, logits.shape[1])
        classes = logits[:, channels.cls]
        own = targets.cls[assignment.gt[here]].long() % head.num_classes
        own_class = classes.gather(1, own[:, None]).squeeze(1)
        parts.append(
            (
                assignment.level[here],
                assignment.gt[here] + batch.rows.start,
                _overlap(job, predictions, assignment, index, here, corners),
                own_class if channels.obj is None else logits[:, channels.obj],
                own,
                classes.argmax(1) if len(classes) else own,
                own_class,
                logits[:, channels.box],
            )
        )
    return Slots(*(_host(columns) for columns in zip(*parts, strict=True)))


def joined(found: Sequence[Slots]) -> Slots:
    """The slots of several batches, in their order."""
    return Slots(*(np.concatenate([getattr(one, field.name) for one in found]) for field in fields(Slots)))


def corners_px(targets: Targets, imgsz: tuple[int, int]) -> Tensor:
    """(N, 4) `xyxy` px of the network input, whatever frame a family takes."""
    boxes: Tensor = targets.boxes
    if targets.frame == "xyxy_px":
        return boxes
    corners: Tensor = cxcywh_to_xyxy(boxes)
    return scaled_xy(corners, imgsz[1], imgsz[0]) if targets.frame == "cxcywh" else corners


def _overlap(job: Job, predictions: Predictions, assignment: Assignment, index: int, rows: Tensor, corners: Tensor) -> Tensor:
    decoded: Any = getattr(job.family, "decoded", None)
    if decoded is None:
        return torch.full(rows.shape, torch.nan, dtype=torch.float64)
    boxes = decoded(job.head, job.hyp, predictions, assignment, index, rows, profile=job.profile)
    overlap: Tensor = iou(boxes.double(), corners[assignment.gt[rows]].double(), form=PLAIN)
    return torch.nan_to_num(overlap, nan=0.0)  # 0 / 0: two boxes without an area


def _host(columns: Sequence[Tensor]) -> NDArray[Any]:
    whole = torch.cat(list(columns)).detach().cpu()
    return whole.double().numpy() if whole.is_floating_point() else whole.numpy()
