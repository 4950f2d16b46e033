"""Rectangular batches against a plain loop over pictures and batches: shapes, places of boxes, positives, loss, and what order decides."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from detloss_cli import families
from detloss_cli.diagnose.gate import Gate, check
from detloss_cli.diagnose.loss import compute, inspect_targets
from detloss_cli.errors import DetlossError
from detloss_cli.facts import Facts
from detloss_cli.families.interface import BatchTargets
from detloss_cli.geometry.rect import batch_shapes
from detloss_cli.inputs.head import Head
from detloss_cli.inputs.model_yaml import read_model_file
from detloss_cli.measure.batches import in_frame
from detloss_cli.predictions.synthetic import ConstantHead
from detloss_cli.resolve import Request, setup
from detloss_cli.scene import stage
from detloss_cli.targets.assignment import Targets

# width and height of pictures in file order: wide, high, square, and a row of like ones whose order is that of the files
TRAIN = [(640, 480), (300, 400), (500, 500), (1280, 427), (333, 999), (640, 480), (200, 640), (640, 360), (641, 640), (640, 480), (50, 70)]
VAL = [(640, 480), (640, 400), (480, 640), (1000, 313)]
CLASSES, SIZE, SIDE = 3, 3, 320
FAMILIES = ["yolov5", "yolov7", "yolov3-spp", "yolov8"]


@dataclass(frozen=True)
class Loop:
    """One batch as the plain loop has it. pictures: numbers in file order. boxes: (N, 4) xyxy px. image: (N,) in the batch."""

    pictures: list[int]
    height: int
    width: int
    boxes: np.ndarray
    image: np.ndarray
    cls: np.ndarray


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    sizes = {}
    for split, pictures in (("train", TRAIN), ("val", VAL)):
        (tmp_path / "labels" / split).mkdir(parents=True)
        (tmp_path / "images" / split).mkdir(parents=True)
        for number, size in enumerate(pictures):
            name = f"{split}_{number:02}"
            sizes[f"images/{split}/{name}.jpg"] = size
            (tmp_path / "images" / split / f"{name}.jpg").touch()
            rows = []
            for _ in range(0 if number == 2 else 4 + number % 3):
                w, h = np.exp(rng.normal(-1.8, 0.7, 2)).clip(0.03, 0.8)
                x, y = rng.uniform(w / 2, 1 - w / 2), rng.uniform(h / 2, 1 - h / 2)
                rows.append(f"{rng.integers(CLASSES)} {x:.6f} {y:.6f} {w:.6f} {h:.6f}")
            (tmp_path / "labels" / split / f"{name}.txt").write_text("\n".join(rows) + "\n" * bool(rows))
    (tmp_path / "sizes.json").write_text(json.dumps(sizes))
    (tmp_path / "data.yaml").write_text("path: .\ntrain: images/train\nval: images/val\nnames: [a, b, c]\n")
    return tmp_path


def request_of(data: Path, family: str, command: str = "compute", **more: Any) -> Request:
    asked: dict[str, Any] = {"batch_size": SIZE, "imgsz": (SIDE, SIDE), "anchors": "stock", "rect": True, **more}
    return Request(command, (str(data / "data.yaml"),), family=family, image_sizes=str(data / "sizes.json"), **asked)


def looped(data: Path, split: str, pictures: list[tuple[int, int]], pad: float, ceil: bool) -> list[Loop]:
    """Sorted, cut, letterboxed, one picture after the other."""
    order = sorted(range(len(pictures)), key=lambda n: pictures[n][1] / pictures[n][0])  # stable
    found = []
    for start in range(0, len(order), SIZE):
        mine = order[start : start + SIZE]
        ratios = [pictures[n][1] / pictures[n][0] for n in mine]
        high = max(ratios) if max(ratios) < 1 else 1.0
        wide = 1 / min(ratios) if min(ratios) > 1 else 1.0
        height, width = (math.ceil(share * SIDE / 32 + pad) * 32 for share in (high, wide))
        boxes, image, cls = [], [], []
        for place, n in enumerate(mine):
            w0, h0 = pictures[n]
            scale = SIDE / max(w0, h0)
            w, h = (min(math.ceil(side * scale), SIDE) if ceil else int(side * scale) for side in (w0, h0)) if scale != 1 else (w0, h0)
            left, top = (width - w) / 2, (height - h) / 2
            for line in (data / "labels" / split / f"{split}_{n:02}.txt").read_text().splitlines():
                c, x, y, bw, bh = (float(word) for word in line.split())
                boxes.append([(x - bw / 2) * w + left, (y - bh / 2) * h + top, (x + bw / 2) * w + left, (y + bh / 2) * h + top])
                image.append(place)
                cls.append(int(c))
        columns = np.asarray(boxes, dtype=np.float64).reshape(-1, 4), np.asarray(image, dtype=np.int64), np.asarray(cls, dtype=np.int64)
        found.append(Loop(mine, height, width, *columns))
    return found


def head_of(family: Any, loop: Loop) -> Head:
    spec = read_model_file(family.MODEL).spec
    if getattr(family, "COARSE_FIRST", False) != (list(spec.strides) == sorted(spec.strides, reverse=True)):
        spec = replace(spec, strides=spec.strides[::-1], anchors=spec.anchors[::-1] if spec.anchors else None)
    head = spec.at((loop.height, loop.width), CLASSES)
    return family.outputs(head, list(family.PROFILES)[-1]) if hasattr(family, "outputs") else head


def targets_of(family: Any, loop: Loop) -> Targets:
    x1, y1, x2, y2 = (loop.boxes / [loop.width, loop.height, loop.width, loop.height]).T
    network = np.stack(((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1), axis=1).astype(np.float32)
    boxes = in_frame(network, (loop.height, loop.width), family.FRAME)
    return Targets(torch.from_numpy(loop.image), torch.from_numpy(loop.cls), torch.from_numpy(boxes), len(loop.pictures), family.FRAME)


def by_hand(data: Path, name: str, **keys: Any) -> tuple[list[Loop], list[Any], list[Any], list[Head], Any]:
    """Batches, assignments, losses and heads of a fresh head over the training set, each batch through its own head."""
    family, profile = families.load(name), list(families.load(name).PROFILES)[-1]
    loops = looped(data, "train", TRAIN, 0.0, getattr(family, "LETTERBOX", "floor") == "ceil")
    full = replace(loops[0], height=SIDE, width=SIDE)
    hyp = family.scaled(replace(family.Hyp(), **keys) if keys else shipped(data, name), head_of(family, full), profile)
    rows, losses, heads, state = [], [], [], None
    for loop in loops:
        head, targets = head_of(family, loop), targets_of(family, loop)
        bias = [level.float() for level in family.prior(head, hyp, profile)]
        constant = ConstantHead(bias, head.levels, len(loop.pictures))
        rows.append(family.assign(head, hyp, targets, constant if family.NEEDS_PREDICTIONS else None, profile=profile))
        losses.append(family.loss(head, hyp, targets, constant, rows[-1], profile=profile, state=state))
        state = losses[-1].state
        heads.append(head)
    return loops, rows, losses, heads, hyp


def shipped(data: Path, name: str) -> Any:
    """The hyp that the family's own file gives."""
    return setup(request_of(data, name)).hyp


def figures(facts: Facts) -> tuple[list[int], dict[str, float]]:
    assert facts.levels is not None
    return [level.positives for level in facts.levels], dict(facts.loss.totals) if facts.loss is not None else {}


@pytest.mark.parametrize("pad", [0.0, 0.5])
def test_the_shape_of_each_batch(pad: float) -> None:
    rng = np.random.default_rng(0)
    sizes = rng.integers(20, 900, (200, 2))
    ratios = np.sort(sizes[:, 1] / sizes[:, 0])
    for size, side, stride in ((1, 640, 32), (7, 640, 32), (16, 1280, 64), (300, 320, 32)):
        found = batch_shapes(ratios, size, side, stride, pad)
        wanted = []
        for start in range(0, 200, size):
            mine = ratios[start : start + size].tolist()
            shape = [max(mine), 1] if max(mine) < 1 else [1, 1 / min(mine)] if min(mine) > 1 else [1, 1]
            wanted.append([math.ceil(share * side / stride + pad) * stride for share in shape])
        assert found.tolist() == wanted
    assert batch_shapes(np.zeros(0), 4, 640, 32, pad).shape == (0, 2)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_loss_is_that_of_each_batch_through_its_own_head(name: str, data: Path) -> None:
    loops, rows, losses, _, _ = by_hand(data, name)
    assert len({(loop.height, loop.width) for loop in loops}) > 2
    facts, _ = compute(request_of(data, name))
    positives, totals = figures(facts)
    assert positives == [sum(int((part.level == index).sum()) for part in rows) for index in range(len(positives))]
    for term in families.load(name).TERMS:
        assert totals[term] == pytest.approx(math.fsum(float(one.item(term)) for one in losses) / len(losses), rel=2e-6)
    assert facts.settings is not None
    shapes = [(shape.imgsz, shape.batches, shape.images) for shape in facts.settings.shapes]
    assert [shape for shape, batches, _ in shapes for _ in range(batches)] == [(loop.height, loop.width) for loop in loops]
    assert sum(images for *_, images in shapes) == len(TRAIN)


@pytest.mark.parametrize("name", FAMILIES)
def test_boxes_stand_in_file_order_with_what_they_got(name: str, data: Path) -> None:
    loops, rows, *_ = by_hand(data, name)
    facts, _ = compute(request_of(data, name))
    square, _ = compute(request_of(data, name, rect=False))
    assert facts.boxes is not None
    assert square.boxes is not None
    assert facts.box_loss is not None
    assert facts.loss is not None
    assert list(facts.boxes.path) == list(square.boxes.path)
    assert facts.boxes.line.tolist() == square.boxes.line.tolist()
    per_picture: dict[int, list[tuple[int, float]]] = {}
    for loop, part in zip(loops, rows, strict=True):
        for box, (image, corners) in enumerate(zip(loop.image.tolist(), loop.boxes, strict=True)):
            per_picture.setdefault(loop.pictures[image], []).append((int((part.gt == box).sum()), corners[2] - corners[0]))
    wanted = [box for picture in sorted(per_picture) for box in per_picture[picture]]
    assert facts.boxes.positives.sum(axis=1).tolist() == [count for count, _ in wanted]
    assert facts.boxes.width.tolist() == pytest.approx([width for _, width in wanted], abs=2e-3)
    told = facts.box_loss.loss.sum() + sum(facts.box_loss.background.values())
    assert told == pytest.approx(facts.loss.totals["total"], rel=1e-6)
    silent = [box for box, (count, _) in enumerate(wanted) if not count]
    assert facts.boxes.reason.some == silent


def test_reasons_and_collisions_are_those_of_the_shape_that_a_box_is_seen_at(data: Path) -> None:
    _, rows, *_ = by_hand(data, "yolov5", **{**vars_of(shipped(data, "yolov5")), "anchor_t": 1.2})
    facts, _ = inspect_targets(request_of(data, "yolov5", "inspect targets", sets=("anchor_t=1.2",)))
    assert facts.boxes is not None
    assert facts.assignment is not None
    silent = facts.boxes.reason.some
    assert len(silent) > 10
    for box in silent:
        assert facts.boxes.text[box].startswith(f"{facts.boxes.width[box]:.1f}x{facts.boxes.height[box]:.1f} px")
    slots = [set(zip(*(getattr(part, name).tolist() for name in ("level", "image", "anchor", "row", "col")), strict=True)) for part in rows]
    assert facts.assignment.collision_rows == sum(map(len, rows)) - sum(map(len, slots))


def test_what_a_batch_leaves_to_the_next_follows_the_order_of_the_pictures(data: Path) -> None:
    *_, losses, _, _ = by_hand(data, "yolov5", **{**vars_of(shipped(data, "yolov5")), "autobalance": True})
    facts, _ = compute(request_of(data, "yolov5", overrides={"autobalance": True}))
    assert facts.levels is not None
    assert [level.balance_after for level in facts.levels] == pytest.approx(list(losses[-1].state), rel=1e-6)
    assert facts.loss is not None
    assert facts.loss.totals["obj"] == pytest.approx(math.fsum(float(one.item("obj")) for one in losses) / len(losses), rel=1e-6)


def vars_of(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__}


@pytest.mark.parametrize("name", FAMILIES)
def test_the_base_rate_is_the_least_over_batches_of_all_shapes(name: str, data: Path) -> None:
    """No other constant for the objectness or the classes of a level has a lower mean over the batches, each with its own cells."""
    loops, rows, _, heads, hyp = by_hand(data, name)
    family, profile = families.load(name), list(families.load(name).PROFILES)[-1]
    batches = [BatchTargets(targets_of(family, loop), part, head) for loop, part, head in zip(loops, rows, heads, strict=True)]
    full = head_of(family, replace(loops[0], height=SIDE, width=SIDE))
    fitted = family.base_rate(full, hyp, profile, batches)

    def mean(bias: Sequence[torch.Tensor]) -> float:
        values = []
        for batch, head in zip(batches, heads, strict=True):
            constant = ConstantHead(bias, head.levels, batch.targets.images)
            values.append(family.loss(head, hyp, batch.targets, constant, batch.assignment, profile=profile).total)
        return math.fsum(float(value) for value in values) / len(values)

    channels, least = family.channels(full), mean(fitted)
    for index in range(len(fitted)):
        for group in [channels.cls] if channels.obj is None else [channels.cls, slice(channels.obj, channels.obj + 1)]:
            for step in (-0.05, 0.05):
                moved = [level.clone() for level in fitted]
                moved[index][:, group] += step
                assert mean(moved) > least - 1e-9  # levels without a row are at -30 already, where a step is nothing


def test_the_marks_know_the_cells_of_each_batch(data: Path) -> None:
    """Objectness at the base rate: per level the entropy of the mean over batches of its targets a cell."""
    loops, rows, losses, heads, _ = by_hand(data, "yolov5")
    wanted = 0.0
    for index in range(3):
        shares = []
        for loop, part, loss, head in zip(loops, rows, losses, heads, strict=True):
            won = loss.extra["wins"] & (part.level == index)
            shares.append(float(loss.extra["objectness_target"][won].double().sum()) / (len(loop.pictures) * head.levels[index].slots))
        p = math.fsum(shares) / len(shares)
        gain = next(term.gain for term in losses[0].terms if (term.name, term.level) == ("obj", index))
        wanted -= gain * (p * math.log(p) + (1 - p) * math.log1p(-p))
    facts, _ = compute(request_of(data, "yolov5"))
    assert facts.loss is not None
    assert facts.loss.marks["base_rate"]["obj"] == pytest.approx(wanted, rel=2e-5)  # log-sigmoid in float32, as a trainer has it
    focal, _ = compute(request_of(data, "yolov5", sets=("fl_gamma=1.5",)))
    assert focal.loss is not None
    assert focal.loss.marks["base_rate"]["obj"] < focal.loss.totals["obj"]


def test_validation_pictures_have_half_a_stride_more_and_are_not_enlarged(data: Path) -> None:
    loops = looped(data, "val", VAL, 0.5, ceil=False)
    facts, _ = inspect_targets(request_of(data, "yolov5", "inspect targets", split="val"))
    assert facts.settings is not None
    assert [shape.imgsz for shape in facts.settings.shapes for _ in range(shape.batches)] == [(loop.height, loop.width) for loop in loops]
    assert max(loop.width for loop in loops) > SIDE
    family = families.load("yolov5")
    parts = [family.assign(head_of(family, loop), shipped(data, "yolov5"), targets_of(family, loop), profile="7.0") for loop in loops]
    assert figures(facts)[0] == [sum(int((part.level == index).sum()) for part in parts) for index in range(3)]


@pytest.mark.parametrize("name", FAMILIES)
def test_the_gate_counts_as_the_targets_are_counted(name: str, data: Path) -> None:
    """It reads every split and keeps the training's: the batches of one split hold no picture of another."""
    checked, _ = check(request_of(data, name, "check"), Gate())
    targets, _ = inspect_targets(request_of(data, name, "inspect targets"))
    assert checked.levels == targets.levels
    assert checked.assignment == targets.assignment
    assert checked.collisions == targets.collisions
    assert checked.settings is not None
    assert targets.settings is not None
    assert checked.settings.shapes == targets.settings.shapes


def test_what_labels_alone_decide_is_counted_in_the_shape_of_each_batch(data: Path) -> None:
    facts, _ = inspect_targets(request_of(data, "yolov8", "inspect targets"))
    family, inside = families.load("yolov8"), []
    for loop in looped(data, "train", TRAIN, 0.0, getattr(family, "LETTERBOX", "floor") == "ceil"):
        targets = targets_of(family, loop)
        plain = Targets(*(column.numpy() for column in (targets.image, targets.cls, targets.boxes)), targets.images, targets.frame)
        test = family.open_slots(head_of(family, loop), family.Hyp(), plain, profile=list(family.PROFILES)[-1])[0]
        inside.append((test.slots > 0).sum(axis=0))
    assert facts.reach is not None
    assert list(facts.reach.tests[0].by_level) == np.sum(inside, axis=0).tolist()


def test_another_input_size_has_shapes_of_its_own(data: Path) -> None:
    request = request_of(data, "yolov8", "inspect targets")
    scene = stage(request, setup(request))
    views = scene.views("8.1", (2 * SIDE, 2 * SIDE))
    ratios = sorted(height / width for width, height in TRAIN)
    shapes = batch_shapes(np.asarray(ratios), SIZE, 2 * SIDE, 32, 0.0).tolist()
    assert [list(head.imgsz) for head, own, _ in views for _ in range(-(-len(own.images) // SIZE))] == shapes
    for head, own, network in views:
        for image, box in zip(own.image.tolist(), network, strict=True):
            side = max(int(own.images.width[image]), int(own.images.height[image]))
            left = (head.imgsz[1] - int(own.images.width[image]) * 2 * SIDE / side) / 2
            assert box[0] * head.imgsz[1] >= left - 1
        assert len(network) == len(own)


def test_one_picture_is_shown_in_the_shape_of_its_batch(data: Path) -> None:
    loop = next(loop for loop in looped(data, "val", VAL, 0.5, ceil=False) if 3 in loop.pictures)
    facts, _ = inspect_targets(request_of(data, "yolov5", "inspect targets", split="val", image="val_03"))
    assert facts.image is not None
    assert facts.image.imgsz == (loop.height, loop.width)
    height = int(313 * SIDE / 1000)
    left, top = (loop.width - SIDE) / 2, (loop.height - height) / 2
    assert facts.image.placed == (left, top, left + SIDE, top + height)
    own = loop.boxes[loop.image == loop.pictures.index(3)]
    np.testing.assert_allclose(facts.image.boxes_xyxy, own, atol=2e-3)


@pytest.mark.parametrize(
    ("more", "where"),
    [({"geometry": "stretch"}, "--geometry stretch"), ({"preds": "a.npz"}, "--preds"), ({"imgsz": (320, 640)}, "--imgsz 320x640")],
)
def test_what_contradicts_rectangular_batches_is_refused_where_typed(more: dict[str, Any], where: str, data: Path) -> None:
    with pytest.raises(DetlossError, match="--rect") as refused:
        inspect_targets(request_of(data, "yolov5", "inspect targets", **more))
    assert refused.value.where == where


def test_a_run_gives_way_to_an_option_and_that_is_said(data: Path) -> None:
    request = request_of(data, "yolov5", "inspect targets", geometry="stretch", origins={"rect": "opt.yaml"})
    facts, found = inspect_targets(request)
    assert facts.settings is not None
    assert facts.settings.shapes == ()
    assert [(one.code, "--geometry stretch does not go with it" in one.message) for one in found if one.code == "DET701"] == [
        ("DET701", True)
    ]


def test_without_picture_sizes_the_full_input_is_taken_and_that_is_said(data: Path) -> None:
    (data / "sizes.json").write_text("{}")
    for picture in (data / "images").rglob("*.jpg"):
        picture.unlink()
    request = replace(request_of(data, "yolov5", "inspect targets"), data=(str(data / "labels" / "train"),))
    facts, found = inspect_targets(request)
    assert facts.settings is not None
    assert facts.settings.shapes == ()
    assert ["no picture has a known size" in one.message for one in found if one.code == "DET701"] == [True]


def test_a_family_without_them_says_so(data: Path) -> None:
    facts, found = inspect_targets(request_of(data, "retinanet", "inspect targets", anchors=None))
    assert facts.settings is not None
    assert facts.settings.shapes == ()
    assert [one.code for one in found if one.rule == "switch-not-modelled"] == ["DET701"]
