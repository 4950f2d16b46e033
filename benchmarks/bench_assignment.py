"""Which boxes train what, over a whole set: counted, and with an index of every row, against targets built batch by batch."""

from __future__ import annotations

from collections.abc import Iterator

import coco_scene
import plain_yolov5
from in_turn import Goal, Row, in_turn
from workplace import Place

from detloss_cli.measure.anchor_match import Matching, count_matches
from detloss_cli.measure.plain import plain_pairs


def prepare(place: Place) -> None:
    place.coco()


def measure(place: Place) -> Iterator[Row]:
    folder = place.coco()
    staged = coco_scene.stage(folder)
    scene, family = staged.scene, staged.scene.setup
    batched = list(plain_yolov5.batches(plain_yolov5.read(folder)))

    def counts() -> int:
        found = count_matches(scene.network, scene.head.levels, Matching("ratio", 4.0))
        return sum(int(level.sum()) for level in found.positives)

    def rows() -> int:
        pairs = plain_pairs(family.family, family.profile, scene.head, staged.hyp, scene.labels, scene.network)
        return sum(len(assignment) for _, assignment in pairs)

    def theirs() -> int:
        return sum(len(own[0][4]) for labels, _ in batched for own in plain_yolov5.targets(labels))

    if not counts() == rows() == theirs():
        raise RuntimeError(f"positives differ: {counts()} counted, {rows()} indexed, {theirs()} batch by batch")
    ours, indexed, plain = in_turn((counts, rows, theirs), place.rounds)
    yield Row("positives of a set, counted", ours, "batch by batch", plain, Goal("times", 10))
    yield Row("positives of a set, every row", indexed, "batch by batch", plain, Goal("times", 5))
