"""Who the boxes without positives are: their class and their side ratio. Sizes are counted with the assignment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detloss_cli.facts import AssignmentFacts

ASPECTS = ((2.0, "under 2"), (4.0, "2 to 4"), (10.0, "4 to 10"), (np.inf, "10 and more"))
NO_ASPECT = "no area"


def with_groups(facts: AssignmentFacts, size_px: NDArray[np.float32], classes: NDArray[np.int64], names: Sequence[str]) -> AssignmentFacts:
    """The facts with those boxes by class and side ratio.

    Args:
        size_px, classes: (U, 2) and (U,) of the boxes without positives. names: by class id.
    """
    by_class: dict[str, int] = {}
    for one, number in zip(*(column.tolist() for column in np.unique(classes, return_counts=True)), strict=True):
        name = names[one] if 0 <= one < len(names) else f"class_{one}"
        by_class[name] = by_class.get(name, 0) + number
    return replace(facts, by_class=by_class, by_aspect=aspects(size_px[:, 0], size_px[:, 1]))


def aspects(width: NDArray[np.float32], height: NDArray[np.float32]) -> dict[str, int]:
    """Boxes by longer over shorter side, those without an area apart."""
    real = (width > 0) & (height > 0)
    ratio = np.maximum(width, height)[real] / np.minimum(width, height)[real]
    place = np.searchsorted([bound for bound, _ in ASPECTS], ratio, side="right")
    counts = np.bincount(place, minlength=len(ASPECTS)).tolist()
    found = {name: number for (_, name), number in zip(ASPECTS, counts, strict=True)}
    flat = len(width) - int(real.sum())
    return found | ({NO_ASPECT: flat} if flat else {})


def with_cost(facts: AssignmentFacts | None, perfect: Mapping[str, float]) -> AssignmentFacts | None:
    """The facts with what collisions cost: the loss by term of a head that answers every slot with its winner."""
    return replace(facts, collision_cost=dict(perfect)) if facts is not None and facts.collision_rows else facts
