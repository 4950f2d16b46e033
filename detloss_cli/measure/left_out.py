"""Boxes that the loader keeps and the trainer does not train: more than a picture may have, and those that stop it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.head import Head
from detloss_cli.inputs.labels import Labels
from detloss_cli.measure.batches import stack_of, stacks
from detloss_cli.measure.plain import CHUNK_BOXES

LeftOut = tuple[list[int], list[Fault]]


def beyond_most(family: Any, hyp: Any, labels: Labels) -> LeftOut:
    """Rows after the first `max_boxes` of their picture, in file order, and a fault for each picture that has any."""
    beyond = getattr(family, "beyond_most", None)
    if beyond is None:
        return [], []
    rows = np.flatnonzero(beyond(hyp, labels.image))
    images, first, count = np.unique(labels.image[rows], return_index=True, return_counts=True)
    faults = []
    for image, row, boxes in zip(images.tolist(), rows[first].tolist(), count.tolist(), strict=True):
        words = f"{boxes} boxes" if boxes > 1 else "1 box"
        faults.append(Fault("beyond-max-boxes", labels.images.label_path[image], int(labels.line[row]), None, words, f"{hyp.max_boxes:g}"))
    return rows.tolist(), faults


def refused(family: Any, profile: str, head: Head, hyp: Any, labels: Labels, network: NDArray[np.float32]) -> LeftOut:
    """Rows that this release raises an error over, and a fault for each. Pictures do not look at one another: they come in chunks."""
    refuses = getattr(family, "refused", None)
    if refuses is None or not len(labels):
        return [], []
    found = {}
    for images, rows in stacks(labels, 1, CHUNK_BOXES):
        chunk = stack_of(labels, network, head.imgsz, images, rows, family.FRAME, lambda column: column)
        reasons = refuses(head, hyp, chunk.targets, profile=profile)
        found.update({rows.start + box: reasons[box] for box in sorted(reasons)})
    paths = labels.images.label_path
    faults = [
        Fault("box-refused", paths[labels.image[box]], int(labels.line[box]), None, reason.key, reason.text)
        for box, reason in found.items()
    ]
    return list(found), faults
