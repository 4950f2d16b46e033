"""What each box adds to the loss, as plain columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class BoxLossFacts:
    """T terms of N boxes, in the order of the boxes and in the units of the totals: weighted, and divided by the number of batches.

    terms: T names. loss: (N, T) float64, what the positives of each box add. A slot that several boxes claim counts for the one that wins
    it. background: by term, the total less all boxes: what cells without a positive add. NaN where the total is not finite.
    """

    terms: tuple[str, ...]
    loss: NDArray[np.float64]
    background: Mapping[str, float]
