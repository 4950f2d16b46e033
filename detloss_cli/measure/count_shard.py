"""Counting by shards that a mapper spreads: what a shard is, and the same integers whoever counts it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from detloss_cli import families
from detloss_cli.inputs.head import Head
from detloss_cli.inputs.labels import Labels
from detloss_cli.inputs.mapper import Mapper, Tell
from detloss_cli.measure.batches import Batch, in_frame, stacks
from detloss_cli.measure.counted import Counted, Tally, tally
from detloss_cli.measure.parts import Part
from detloss_cli.measure.plain import CHUNK_BOXES, plainly
from detloss_cli.targets.assignment import Targets

if TYPE_CHECKING:
    from detloss_cli.families.interface import Family


@dataclass(frozen=True, slots=True)
class CountShard:
    """Whole images of a data set in front of a head. family: its id. hyp: as the assigner takes it.

    image: (N,) int64 from 0. cls: (N,) int64. network: (N, 4) boxes in 0..1 of the network input. images: how many. first: file of the
    first one.
    """

    family: str
    profile: str
    head: Head
    hyp: Any
    image: NDArray[np.int64]
    cls: NDArray[np.int64]
    network: NDArray[np.float32]
    images: int
    first: str

    def name(self, item: int) -> str:
        """What the shard is called in a message."""
        return self.first


def count_shard(shard: CountShard, tell: Tell | None = None) -> Tally:
    """Assign and count one shard."""
    family, head = families.load(shard.family), shard.head
    boxes = in_frame(shard.network, head.imgsz, family.FRAME)
    batch = Batch(0, slice(0, len(shard.cls)), Targets(shard.image, shard.cls, boxes, shard.images, family.FRAME))
    sums = tally(family, head, len(shard.cls))
    sums.add(family, shard.profile, shard.hyp, batch, plainly(family, shard.profile, head, shard.hyp, batch), shard.cls)
    return sums


def counted_in_shards(
    family: Family,
    profile: str,
    head: Head,
    hyp: Any,
    labels: Labels,
    network: NDArray[np.float32],
    size_px: NDArray[np.float32],
    mapper: Mapper,
    parts: Sequence[Part] = (),
) -> Counted:
    """Assign without predictions and count, as `counted` does over `plain_pairs`.

    Args:
        hyp: as the assigner takes it. network: (N, 4) boxes in 0..1 of the network input. size_px: (N, 2) there. mapper: who counts.
        parts: where batches differ in their input shape; `head` is then the one whose levels are shown.

    Raises:
        ValueError: the family assigns by predictions.
    """
    if family.NEEDS_PREDICTIONS:
        raise ValueError(f"expected a family that assigns without predictions, got {family.ID}")
    runs = list(_runs(labels, head, parts))

    def shards() -> Iterator[CountShard]:
        for seen_by, images, rows in runs:
            image, first = labels.image[rows] - images.start, labels.images.path[images.start]
            yield CountShard(family.ID, profile, seen_by, hyp, image, labels.cls[rows], network[rows], len(images), first)

    sums = tally(family, head, len(labels))
    for (_, _, rows), part in zip(runs, mapper(count_shard, shards(), CountShard.name), strict=True):
        sums.extend(part, rows.start)
    return sums.facts(family, labels, size_px)


def _runs(labels: Labels, head: Head, parts: Sequence[Part]) -> Iterator[tuple[Head, range, slice]]:
    """Runs of whole images that one head sees, and their rows of the labels."""
    if not parts:
        yield from ((head, images, rows) for images, rows in stacks(labels, 1, CHUNK_BOXES))
    for part in parts:
        start, first = part.images.start, part.rows(labels).start
        for images, rows in stacks(part.of(labels), 1, CHUNK_BOXES):
            yield part.head, range(images.start + start, images.stop + start), slice(rows.start + first, rows.stop + first)
