"""One row a box: where it stands, how large it is at the network input, what it got and why not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from detloss_cli.facts import BoxFacts, ClassFacts
from detloss_cli.facts.box_columns import OfImage, OfSome
from detloss_cli.inputs.labels import Labels, whole_images

CHUNK = 1 << 15  # boxes whose columns stay in the cache


def box_facts(
    labels: Labels,
    size_px: NDArray[np.float32],
    positives: NDArray[np.int32],
    slots: NDArray[np.int32],
    reasons: Mapping[int, tuple[str, str]],
    infinite: Mapping[int, str],
    stops: Mapping[int, str],
) -> BoxFacts:
    """Facts of each box, in file order.

    Args:
        size_px: (N, 2) width and height at the network input. positives: (N, L). slots: (N,). reasons: key and text by box.
        infinite: by box, why it makes the loss infinite. stops: by box, why the trainer raises an error over its batch.
    """
    return BoxFacts(
        path=OfImage(labels.images.label_path, labels.image),
        line=labels.line,
        cls=labels.cls,
        width=size_px[:, 0],
        height=size_px[:, 1],
        positives=positives,
        slots=slots,
        reason=OfSome({box: key for box, (key, _) in reasons.items()}, len(labels)),
        text=OfSome({box: text for box, (_, text) in reasons.items()}, len(labels)),
        infinite=infinite,
        stops=stops,
    )


def class_facts(labels: Labels, num_classes: int) -> tuple[ClassFacts, ...]:
    """Boxes and images of each class, by id."""
    boxes = np.bincount(labels.cls, minlength=num_classes)
    images = np.zeros(len(boxes), dtype=np.int64)
    for rows in whole_images(labels.image, CHUNK):
        # sorted by image and class, a pair is new where it differs from the one before
        pair = np.sort(labels.image[rows] * np.int64(len(boxes)) + labels.cls[rows])
        new = np.ones(len(pair), dtype=bool)
        new[1:] = pair[1:] != pair[:-1]
        images += np.bincount(pair[new] % len(boxes), minlength=len(boxes))
    names = labels.names
    return tuple(ClassFacts(i, names[i] if i < len(names) else f"class_{i}", int(boxes[i]), int(images[i])) for i in range(num_classes))
