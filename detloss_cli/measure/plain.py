"""Assignment without predictions and without torch: all that counting needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from detloss_cli.inputs.head import Head
from detloss_cli.inputs.labels import Labels
from detloss_cli.measure.batches import Batch, stack_of, stacks
from detloss_cli.measure.parts import Part
from detloss_cli.targets.assignment import Assignment

if TYPE_CHECKING:
    from detloss_cli.families.interface import Family

CHUNK_BOXES = 8192


def plain_pairs(
    family: Family, profile: str, head: Head, hyp: Any, labels: Labels, network: NDArray[np.float32], parts: Sequence[Part] = ()
) -> Iterator[tuple[Batch, Assignment]]:
    """Chunks of images in file order and their assignment, in numpy: the integers that torch gives, one chunk in memory at a time.

    No image looks at another without predictions, so that a chunk need not be a trainer's batch.

    Args:
        hyp: as the assigner takes it. network: (N, 4) boxes in 0..1 of the network input. parts: where batches differ in their input shape.

    Raises:
        ValueError: the family assigns by predictions.
    """
    if family.NEEDS_PREDICTIONS:
        raise ValueError(f"expected a family that assigns without predictions, got {family.ID}")
    for part in parts:
        for batch, assigned in plain_pairs(family, profile, part.head, hyp, part.of(labels), network[part.rows(labels)]):
            yield part.whole(batch, labels), assigned
    if parts:
        return
    for images, rows in stacks(labels, 1, CHUNK_BOXES):
        chunk = stack_of(labels, network, head.imgsz, images, rows, family.FRAME, lambda column: column)
        yield chunk, plainly(family, profile, head, hyp, chunk)


def plainly(family: Family, profile: str, head: Head, hyp: Any, chunk: Batch) -> Assignment:
    """The assignment of one chunk, whose columns are numpy's."""
    with np.errstate(divide="ignore", invalid="ignore"):  # a side of 0 gives inf, which matches nothing
        return family.assign(head, hyp, chunk.targets, None, profile=profile)
