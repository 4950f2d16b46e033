"""Boxes that the loader keeps and the trainer does not train: more than a picture may have, and those that stop it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.head import Head
from detloss_cli.inputs.labels import Labels
from detloss_cli.measure.batches import in_frame
from detloss_cli.targets.assignment import Targets

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
    """Rows that this release raises an error over, and a fault for each."""
    refuses = getattr(family, "refused", None)
    if refuses is None or not len(labels):
        return [], []
    targets = Targets(labels.image, labels.cls, in_frame(network, head.imgsz, family.FRAME), len(labels.images), family.FRAME)
    found = dict(sorted(refuses(head, hyp, targets, profile=profile).items()))
    paths = labels.images.label_path
    faults = [
        Fault("box-refused", paths[labels.image[box]], int(labels.line[box]), None, reason.key, reason.text)
        for box, reason in found.items()
    ]
    return list(found), faults
