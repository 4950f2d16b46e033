"""box, obj and cls of a whole set on heads that say the same everywhere, against a dense loss for each batch of 16."""

from __future__ import annotations

import math
from collections.abc import Iterator

import coco_scene
import plain_yolov5
import torch
from in_turn import Goal, Row, in_turn
from workplace import Place

from detloss_cli.measure.passes import cores
from detloss_cli.measure.run import Job
from detloss_cli.measure.set_loss import set_losses
from detloss_cli.measure.stack_pass import BatchedSet

MOST = 1e-6  # how far the two may be apart, relative


def prepare(place: Place) -> None:
    place.coco()


def measure(place: Place) -> Iterator[Row]:
    folder = place.coco()
    staged = coco_scene.stage(folder)
    scene, chosen = staged.scene, staged.scene.setup
    job = Job(chosen.family, chosen.profile, scene.head, staged.hyp, torch.device("cpu"), torch.float32, 0)
    data = BatchedSet(scene.labels, scene.network, plain_yolov5.BATCH, cores())
    batched = list(plain_yolov5.batches(plain_yolov5.read(folder)))
    kept: dict[str, dict[str, float]] = {}

    def theirs() -> None:
        kept["plain"] = plain_yolov5.mean_loss("prior", batched)

    def one(kind: str) -> None:
        kept[kind] = set_losses(data, {kind: (kind, job)})[kind].totals()

    def both() -> None:
        set_losses(data, {"prior": ("prior", job), "zero": ("zero", job)})

    kinds = ("prior", "zero", "base-rate", "perfect")
    calls = [theirs, both, *(lambda kind=kind: one(kind) for kind in kinds)]
    plain, two, *found = in_turn(calls, min(place.rounds, 3))
    apart = max(abs(kept["prior"][name] / value - 1) for name, value in kept["plain"].items())
    if not apart <= MOST or not math.isfinite(apart):
        raise RuntimeError(f"the losses are {apart:.1e} apart")
    for kind, seconds in zip(kinds, found, strict=True):
        goal = Goal("times", 13) if kind in ("prior", "zero") else None
        yield Row(f"loss of a set, {kind} head", seconds, "dense, batch by batch", plain, goal)
    yield Row("loss of a set, prior and zero head", two, "dense, batch by batch", plain)
    yield Row("relative difference of the two", apart, goal=Goal("most", MOST), unit="")
