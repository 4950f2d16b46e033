"""Counting by shards: the integers of the whole set at once, whatever the shards and whoever counts them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from detloss_cli import families
from detloss_cli.engine.interface import engine
from detloss_cli.inputs.head import HeadSpec
from detloss_cli.inputs.labels import Images, Labels
from detloss_cli.inputs.mapper import serial
from detloss_cli.measure import assignment, batches, count_shard
from detloss_cli.measure.batches import stack_of
from detloss_cli.measure.count_shard import counted_in_shards
from detloss_cli.measure.counted import Counted, counted
from detloss_cli.measure.plain import plainly
from detloss_cli.resolve import Request, setup

P5 = (((10, 13), (16, 30), (33, 23)), ((30, 61), (62, 45), (59, 119)), ((116, 90), (156, 198), (373, 326)))
PER_IMAGE = [9, 0, 30, 2, 0, 0, 17, 40, 1, 8, 25, 3] * 3


def crowded() -> Labels:
    """Boxes that share cells, some of no anchor's size."""
    rng = np.random.default_rng(0)
    count = sum(PER_IMAGE)
    size = np.exp(rng.normal(-2.2, 1.2, (count, 2))).clip(0.001, 0.9)
    place = rng.choice(rng.random((6, 2)), count) + rng.normal(0, 0.01, (count, 2))
    boxes = np.concatenate((place.clip(size / 2, 1 - size / 2), size), axis=1).astype(np.float32)
    names = tuple(f"{i}.txt" for i in range(len(PER_IMAGE)))
    sizes = np.zeros(len(names), dtype=np.int32)
    columns = Images(names, names, ("train",) * len(names), sizes, sizes)
    return Labels(
        np.repeat(np.arange(len(names)), PER_IMAGE), rng.integers(0, 3, count), boxes, np.ones(count, np.int32), columns, ("a",) * 3
    )


def parts(count: Counted) -> tuple[object, ...]:
    boxes = count.boxes
    columns = (
        boxes.positives.tolist(),
        boxes.slots.tolist(),
        dict(boxes.reason.texts),
        dict(boxes.text.texts),
        boxes.infinite,
        boxes.stops,
    )
    return (count.levels, count.maps, count.assignment, count.collisions, *columns)


def whole(name: str, labels: Labels) -> Counted:
    """All images as one batch, without a shard."""
    family, profile, head, hyp = choice(name)
    batch = stack_of(
        labels, labels.boxes, head.imgsz, range(len(labels.images)), slice(0, len(labels)), family.FRAME, lambda column: column
    )
    pairs = [(batch, plainly(family, profile, head, hyp, batch))]
    return counted(family, profile, head, hyp, labels, labels.boxes[:, 2:] * 128, pairs)


def choice(name: str):
    family = families.load(name)
    chosen = setup(Request("inspect targets", family=name))
    head = HeadSpec("small", name, (8, 16, 32), P5).at((128, 160), 3) if name == "yolov5" else replace(chosen, imgsz=(128, 160)).head(3)
    return family, chosen.profile, head, chosen.hyp


@pytest.mark.parametrize("name", ["yolov5", "yolov3-spp", "keras-yolo3", "centernet"])
@pytest.mark.parametrize(("size", "workers"), [(1, 0), (60, 0), (60, 1), (60, 2), (60, 3), (100_000, 2)])
def test_shards_and_workers_do_not_change_a_figure(name, size, workers, monkeypatch) -> None:
    monkeypatch.setattr(count_shard, "CHUNK_BOXES", size)
    labels = crowded()
    family, profile, head, hyp = choice(name)
    found = counted_in_shards(family, profile, head, hyp, labels, labels.boxes, labels.boxes[:, 2:] * 128, engine(workers))
    assert found.assignment.collision_slots or name == "keras-yolo3"
    assert found.assignment.unassigned or name == "centernet"
    assert parts(found) == parts(whole(name, labels))


@pytest.mark.parametrize("most", [0, 1, 7, 50])
def test_the_first_pairs_are_listed_however_many_a_shard_has(most, monkeypatch) -> None:
    monkeypatch.setattr(assignment, "MOST_COLLISIONS", most)
    labels = crowded()
    family, profile, head, hyp = choice("yolov5")
    listed = whole("yolov5", labels).collisions
    assert len(listed) == most
    monkeypatch.setattr(count_shard, "CHUNK_BOXES", 60)
    found = counted_in_shards(family, profile, head, hyp, labels, labels.boxes, labels.boxes[:, 2:] * 128, serial)
    assert found.collisions == listed
    assert found.assignment.collision_pairs > 50


@pytest.mark.parametrize("images", [0, 1, 9])
def test_sets_without_a_box(images, monkeypatch) -> None:
    monkeypatch.setattr(batches, "MOST_IMAGES", 4)
    names = tuple(map(str, range(images)))
    sizes = np.zeros(images, dtype=np.int32)
    nothing = np.zeros(0, dtype=np.int64)
    columns = Images(names, names, ("train",) * images, sizes, sizes)
    labels = Labels(nothing, nothing, np.zeros((0, 4), np.float32), nothing.astype(np.int32), columns, ("a",))
    family, profile, head, hyp = choice("yolov5")
    found = counted_in_shards(family, profile, head, hyp, labels, labels.boxes, labels.boxes[:, 2:], engine(2))
    assert (found.assignment.positives, found.assignment.boxes) == (0, 0)


def test_a_family_that_looks_at_predictions_is_refused() -> None:
    labels = crowded()
    family, profile, head, hyp = choice("yolov8")
    with pytest.raises(ValueError, match="yolov8"):
        counted_in_shards(family, profile, head, hyp, labels, labels.boxes, labels.boxes[:, 2:], serial)
