"""Assignment without predictions and without torch: all that counting needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from detloss_cli.inputs.head import Head
from detloss_cli.inputs.labels import Labels
from detloss_cli.measure.batches import Batch, batches
from detloss_cli.targets.assignment import Assignment

if TYPE_CHECKING:
    from detloss_cli.families.interface import Family


def plain_pairs(
    family: Family, profile: str, head: Head, hyp: Any, labels: Labels, network: NDArray[np.float32], batch_size: int
) -> list[tuple[Batch, Assignment]]:
    """Each batch in file order and its assignment, in numpy: the integers that torch gives.

    Args:
        hyp: as the assigner takes it. network: (N, 4) boxes in 0..1 of the network input.

    Raises:
        ValueError: the family assigns by predictions.
    """
    if family.NEEDS_PREDICTIONS:
        raise ValueError(f"expected a family that assigns without predictions, got {family.ID}")
    formed = batches(labels, network, head.imgsz, batch_size, family.FRAME, lambda column: column)
    with np.errstate(divide="ignore", invalid="ignore"):  # a side of 0 gives inf, which matches nothing
        return [(batch, family.assign(head, hyp, batch.targets, None, profile=profile)) for batch in formed]
