"""The loss of many batches at once against the same family's loss for each batch, where no plain loop of another hand is there.

A few hundred pictures, at full size as well: batch by batch a heat map of each class is drawn, and each cell is held to every box.
"""

from __future__ import annotations

from collections.abc import Iterator

import coco_scene
import torch
from in_turn import Goal, Row, in_turn
from workplace import Place

from detloss_cli.measure.batches import batches
from detloss_cli.measure.passes import cores
from detloss_cli.measure.run import Job, assignments, losses
from detloss_cli.measure.set_loss import set_losses
from detloss_cli.measure.stack_pass import BatchedSet

FAMILIES = ("keras-yolo3", "centernet", "cornernet")
IMAGES, BATCH = 480, 16
MOST = 1e-6  # how far the two may be apart, relative


def prepare(place: Place) -> None:
    place.coco(images=IMAGES)


def measure(place: Place) -> Iterator[Row]:
    for family in FAMILIES:
        yield from _of(family, place)


def _of(family: str, place: Place) -> Iterator[Row]:
    staged = coco_scene.stage(place.coco(images=IMAGES), family)
    scene, chosen = staged.scene, staged.scene.setup
    job = Job(chosen.family, chosen.profile, scene.head, staged.hyp, torch.device("cpu"), torch.float32, 0)
    data = BatchedSet(scene.labels, scene.network, BATCH, cores())
    formed = list(batches(scene.labels, scene.network, scene.head.imgsz, BATCH, chosen.family.FRAME, job.lift))
    kept: dict[str, dict[str, float]] = {}

    def plain() -> None:
        kept["plain"] = losses("prior", job, formed, assignments(job, formed)).totals()

    def stacked() -> None:
        kept["stacked"] = set_losses(data, {"prior": ("prior", job)})["prior"].totals()

    theirs, ours = in_turn((plain, stacked), min(place.rounds, 2))
    apart = max(abs(kept["stacked"][name] - value) / (abs(value) or 1) for name, value in kept["plain"].items())
    if not apart <= MOST:
        raise RuntimeError(f"the losses of {family} are {apart:.1e} apart")
    yield Row(f"{family} loss of {IMAGES} pictures", ours, "batch by batch", theirs, Goal("times", 13))
    yield Row(f"{family}, relative difference of the two", apart, goal=Goal("most", MOST), unit="")
