"""Facts of boxes that were measured in the order of a rectangular training, in the order of their files again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detloss_cli.facts import BoxFacts, Facts
from detloss_cli.facts.box_columns import OfImage, OfSome


def in_file_order(facts: Facts, picture: NDArray[np.int64] | None, image: NDArray[np.int64]) -> Facts:
    """Boxes, what each adds to the loss, and collisions.

    Args:
        picture: (M,) number of each picture among the files; None where they are in that order. image: (N,) picture of each box.
    """
    if picture is None or facts.boxes is None:
        return facts
    order = np.argsort(picture[image], kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    own, collisions = facts.box_loss, facts.collisions or ()
    moved = (replace(one, first=int(place[one.first]), second=int(place[one.second])) for one in collisions)
    return replace(
        facts,
        boxes=_ordered(facts.boxes, order, place),
        box_loss=replace(own, loss=own.loss[order]) if own is not None else None,
        collisions=tuple(sorted(moved, key=lambda one: (one.first, one.second))),
    )


def _ordered(boxes: BoxFacts, order: NDArray[np.int64], place: NDArray[np.int64]) -> BoxFacts:
    def some(column: OfSome) -> OfSome:
        return OfSome({int(place[box]): column[box] for box in column.some}, column.boxes)

    return BoxFacts(
        path=OfImage(boxes.path.texts, boxes.path.image[order]),
        line=boxes.line[order],
        cls=boxes.cls[order],
        width=boxes.width[order],
        height=boxes.height[order],
        positives=boxes.positives[order],
        slots=boxes.slots[order],
        reason=some(boxes.reason),
        text=some(boxes.text),
        infinite={int(place[box]): why for box, why in boxes.infinite.items()},
        stops={int(place[box]): why for box, why in boxes.stops.items()},
    )
