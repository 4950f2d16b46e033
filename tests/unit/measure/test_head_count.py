"""What heads answer, against closed forms, recorded gradients and plain loops."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from case import CARRIED, Case

from detloss_cli.families import centernet, load, yolov5, yolov8
from detloss_cli.families.interface import BatchTargets
from detloss_cli.inputs.head import Head, Level
from detloss_cli.inputs.labels import Images, Labels
from detloss_cli.losses.term import LossBreakdown, Term
from detloss_cli.measure import gradients
from detloss_cli.measure.batches import Batch
from detloss_cli.measure.empty_cells import Costliest, EmptyCells, Said
from detloss_cli.measure.gradients import norms
from detloss_cli.measure.head_count import HeadCount, merged, read_heads
from detloss_cli.measure.run import Job
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.targets.assignment import Targets

ANCHORS = (((10.0, 13.0), (16.0, 30.0)), ((30.0, 61.0), (62.0, 45.0)))
HEAD = Head("tiny", tuple(Level(f"P{3 + i}", 8 << i, 16 >> i, 16 >> i, a) for i, a in enumerate(ANCHORS)), 3, (128, 128))
ROWS = torch.tensor([[0, 1, 0.53, 0.41, 0.25, 0.25], [0, 2, 0.2, 0.2, 0.1, 0.2], [1, 0, 0.25, 0.55, 0.4, 0.3]])


def labels(rows: torch.Tensor = ROWS, images: int = 2) -> Labels:
    unknown = np.zeros(images, dtype=np.int32)
    paths = tuple(f"{index}.jpg" for index in range(images))
    return Labels(
        rows[:, 0].long().numpy(),
        rows[:, 1].long().numpy(),
        rows[:, 2:].numpy(),
        np.arange(1, len(rows) + 1, dtype=np.int32),
        Images(paths, tuple(f"{index}.txt" for index in range(images)), ("",) * images, unknown, unknown),
        ("a", "b", "c"),
    )


def logits(seed: int = 0, head: Head = HEAD, images: int = 2) -> list[torch.Tensor]:
    source = torch.Generator().manual_seed(seed)
    width = 5 + head.num_classes
    return [torch.randn(images, max(1, len(level.anchors)), level.rows, level.cols, width, generator=source) for level in head.levels]


def job_of(levels: list[torch.Tensor], family: Any = yolov5, profile: str = "7.0", head: Head = HEAD, hyp: Any = None) -> Job:
    hyp, device = hyp or family.Hyp(), torch.device("cpu")
    return Job(family, profile, head, hyp, device, torch.float32, 0, lambda batch, assignment: DensePredictions(levels))


def read(job: Job, rows: torch.Tensor = ROWS, images: int = 2) -> HeadCount:
    batch = Batch(0, slice(0, len(rows)), Targets(rows[:, 0].long(), rows[:, 1].long(), rows[:, 2:], images))
    predictions = job.preds(batch, None) if job.preds is not None else None
    return read_heads([job], [batch], [BatchTargets(batch.targets, job.assign(batch, predictions))])


@pytest.mark.parametrize(("name", "profile"), [("yolov5", "7.0"), ("yolov7", "plain"), ("yolov3-spp", "archive")])
def test_a_perfect_head_is_read_as_one(name: str, profile: str) -> None:
    family = load(name)
    targets = Targets(ROWS[:, 0].long(), ROWS[:, 1].long(), ROWS[:, 2:], 2)
    assignment = family.assign(HEAD, family.Hyp(), targets, profile=profile)
    answers = family.perfect(HEAD, family.Hyp(), profile, targets, assignment)
    facts = read(job_of([answers.dense(index).float() for index in range(2)], family, profile)).facts(labels())
    assert facts.slots > 0
    assert facts.right == facts.slots
    assert facts.confusion == ()
    for level in (one for one in facts.levels if one.slots):
        assert level.iou is not None
        assert level.iou[0] > 0.999
        assert level.iou_above_half == 1.0
        assert level.separation == 1.0
        assert level.false_alarms == 0
    assert set(facts.answers.path) <= {"0.txt", "1.txt"}
    assert facts.answers.iou.min() > 0.999


def test_overlap_and_confidence_of_a_slot_by_hand() -> None:
    levels = logits()
    job = job_of(levels)
    facts_of = read(job)
    (slots,) = facts_of.slots
    assignment = job.assign(Batch(0, slice(0, 3), Targets(ROWS[:, 0].long(), ROWS[:, 1].long(), ROWS[:, 2:], 2)), None)
    row = 0
    index, image, anchor, y, x, gt = (int(getattr(assignment, name)[row]) for name in ("level", "image", "anchor", "row", "col", "gt"))
    raw = levels[index][image, anchor, y, x].double()
    stride, (aw, ah) = HEAD.levels[index].stride, ANCHORS[index][anchor]
    p = torch.sigmoid(raw[:4])
    cx, cy = (float(p[0]) * 2 - 0.5 + x) * stride, (float(p[1]) * 2 - 0.5 + y) * stride
    w, h = (float(p[2]) * 2) ** 2 * aw, (float(p[3]) * 2) ** 2 * ah
    tx, ty, tw, th = (float(side) * 128 for side in ROWS[gt, 2:])
    across = max(0.0, min(cx + w / 2, tx + tw / 2) - max(cx - w / 2, tx - tw / 2))
    down = max(0.0, min(cy + h / 2, ty + th / 2) - max(cy - h / 2, ty - th / 2))
    overlap = across * down / (w * h + tw * th - across * down)
    place = next(i for i in range(len(slots.box)) if slots.box[i] == gt and slots.confidence[i] == pytest.approx(float(raw[4]), abs=1e-6))
    assert slots.iou[place] == pytest.approx(overlap, rel=1e-5, abs=1e-6)
    assert slots.answered[place] == int(raw[5:].argmax())


def test_gradient_of_objectness_is_its_closed_form() -> None:
    """d(gain B mean BCE) / dx = gain B (sigmoid(x) - t) / cells, and 0 in every other channel."""
    levels = logits()
    job = job_of(levels, hyp=yolov5.Hyp(gr=0.0))
    count = read(job)
    assignment = job.assign(Batch(0, slice(0, 3), Targets(ROWS[:, 0].long(), ROWS[:, 1].long(), ROWS[:, 2:], 2)), None)
    for index, level in enumerate(levels):
        target = torch.zeros(level.shape[:-1], dtype=torch.float64)
        own = assignment.level == index
        target[assignment.image[own], assignment.anchor[own], assignment.row[own], assignment.col[own]] = 1.0
        gain = yolov5.Hyp().obj * yolov5.balance(HEAD, "7.0")[index] * 2
        wanted = (gain * (torch.sigmoid(level[..., 4].double()) - target) / target.numel()).norm()
        assert count.gradients.batches[0]["obj", index] == pytest.approx(float(wanted), rel=1e-5)


@pytest.mark.parametrize("name", ["x_base_nc20", "x_nc1", "x_sl1", "x_zero"])
def test_gradients_are_the_recorded_ones(name: str) -> None:
    """CenterNet's three terms read three kinds of channels, so that the recorded norm of each map is that of one term."""
    case = Case(CARRIED / "centernet" / f"{name}.json")
    settings, boxes = case.settings, case.inputs["boxes_img_x1y1x2y2cls"]
    height, width = settings["imgsz_hw"]
    head = Head("recorded", (Level("P2", 4, height // 4, width // 4),), settings["nc"], (height, width))
    hyp = centernet.Hyp(reg_loss=settings["reg_loss"])
    targets = Targets(boxes[:, 0].long(), boxes[:, 5].long(), boxes[:, 1:5], settings["batch"], "xyxy_px")
    leaf = torch.cat([case.inputs[f"stack0.{part}"] for part in ("wh", "reg", "hm")], 1).permute(0, 2, 3, 1)[:, None].requires_grad_()
    assignment = centernet.assign(head, hyp, targets, profile="xingyizhou")
    found = norms(centernet.loss(head, hyp, targets, DensePredictions([leaf]), assignment, profile="xingyizhou"), [leaf])
    recorded = case.expected("f32")["grad_l2"]
    for term, part in (("heatmap", "hm"), ("size", "wh"), ("offset", "reg")):
        assert found[term, 0] == pytest.approx(recorded[f"stack0.{part}"], rel=1e-4, abs=1e-9)


@pytest.mark.parametrize("part", [1, 7, 1 << 20])
def test_a_gradient_is_added_up_in_parts(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    leaf = torch.arange(60, dtype=torch.float32).view(1, 3, 2, 2, 5).requires_grad_()
    term = Term("obj", 0, (leaf**2).sum() / 2, 2.0, 1)
    monkeypatch.setattr(gradients, "PART", part)
    assert norms(LossBreakdown((term,), 3.0, None, {}), [leaf])["obj", 0] == pytest.approx(6 * sum(n * n for n in range(60)) ** 0.5)


def test_a_gradient_that_is_not_finite_is_counted_and_left_out() -> None:
    levels = logits()
    levels[0][..., 4] = -200.0  # p is 0: (1 - p_t)^gamma has an infinite slope there for gamma below 1
    hyp = yolov5.Hyp(fl_gamma=0.5)
    count = read(job_of(levels, hyp=hyp))
    by = {(one.term, one.level): one for one in count.facts(labels()).gradients}
    assert by["obj", "P3"].not_finite == 1
    assert by["obj", "P3"].norm == 0.0
    assert by["obj", "P4"].not_finite == 0


@pytest.mark.parametrize("seed", range(3))
def test_separation_is_the_share_of_pairs(seed: int) -> None:
    source = np.random.default_rng(seed)
    cells, slots = source.normal(-2, 2, 300), source.normal(0, 3, 40)
    cells[:20] = slots[:20]  # ties count half
    count = EmptyCells()
    count.add(torch.from_numpy(cells))
    pairs = [(slot > cell) + 0.5 * (slot == cell) for slot in slots for cell in cells]
    assert count.separation(torch.from_numpy(slots)) == pytest.approx(np.mean(pairs), abs=2e-3)  # bins of 0.01
    assert (count.alarms, count.most) == (int((cells >= 0).sum()), pytest.approx(cells.max()))
    assert EmptyCells().separation(torch.from_numpy(slots)) is None


def test_the_costliest_cells_are_those_of_a_sort() -> None:
    source = torch.Generator().manual_seed(1)
    planes = [(level, first, torch.rand(2, 1, 4, 4, generator=source)) for level in (0, 1) for first in (0, 2)]
    worst = Costliest(5)
    for level, first, cost in planes:
        worst.add(level, first, cost, lambda at: Said(0.0, 0, "obj"))
    every = [
        (float(cost[image, 0, row, col]), level, first + image, 0, row, col)
        for level, first, cost in planes for image in range(2) for row in range(4) for col in range(4)
    ]  # fmt: skip
    assert [cell for cell, _ in worst.worst_first()] == sorted(every, reverse=True)[:5]


@pytest.mark.parametrize(("family", "profile"), [(yolov5, "7.0"), (yolov8, "8.4.190")])
def test_background_costs_add_up_to_their_term(family: Any, profile: str) -> None:
    """Without targets every cell is background, and what they cost is the term."""
    head = HEAD if family is yolov5 else replace(HEAD, levels=tuple(replace(level, anchors=()) for level in HEAD.levels), reg_max=4)
    profile = profile if profile in family.PROFILES else list(family.PROFILES)[-1]
    width = family.channels(head).count
    source = torch.Generator().manual_seed(0)
    levels = [torch.randn(2, max(1, len(one.anchors)), one.rows, one.cols, width, generator=source) for one in head.levels]
    targets = Targets(torch.zeros(0).long(), torch.zeros(0).long(), torch.zeros(0, 4), 2, family.FRAME)
    predictions = DensePredictions(levels)
    hyp = family.Hyp()
    assignment = family.assign(head, hyp, targets, predictions, profile=profile)
    terms = {(term.name, term.level): term for term in family.loss(head, hyp, targets, predictions, assignment, profile=profile).terms}
    for index in range(2):
        name, cost = family.background(head, hyp, targets, predictions, assignment, index, profile=profile)
        assert float(cost.double().sum()) == pytest.approx(float(terms[name, index].raw), rel=1e-5)


def test_batches_read_apart_and_merged_are_the_whole() -> None:
    head, rows = HEAD, ROWS
    levels = logits()
    job = job_of(levels)
    whole = read(job).facts(labels())
    parts = []
    for image in range(2):
        own = rows[rows[:, 0] == image].clone()
        start = int((rows[:, 0] < image).sum())
        batch = Batch(image, slice(start, start + len(own)), Targets(torch.zeros(len(own)).long(), own[:, 1].long(), own[:, 2:], 1))
        single = job_of([level[image : image + 1] for level in levels])
        parts.append(read_heads([single], [batch], [BatchTargets(batch.targets, single.assign(batch, None))]))
    both = merged(parts).facts(labels())
    for mine, other in zip(both.levels, whole.levels, strict=True):
        assert (mine.slots, mine.background, mine.false_alarms, mine.logits) == (
            other.slots, other.background, other.false_alarms, other.logits
        )  # fmt: skip
        assert mine.separation == pytest.approx(other.separation, abs=1e-12)
        assert mine.background_mean == pytest.approx(other.background_mean, rel=1e-9)
    assert [(cell.picture, cell.level, cell.row, cell.col) for cell in both.cells] == [
        (cell.picture, cell.level, cell.row, cell.col) for cell in whole.cells
    ]
    assert (both.right, both.confusion) == (whole.right, whole.confusion)
    assert head.num_classes == 3


def test_no_boxes_at_all() -> None:
    facts = read(job_of(logits()), torch.zeros(0, 6)).facts(labels(torch.zeros(0, 6)))
    assert [(level.slots, level.iou, level.confidence, level.separation) for level in facts.levels] == [(0, None, None, None)] * 2
    assert (facts.slots, facts.right, len(facts.answers.iou)) == (0, 0, 0)
    assert all(math.isfinite(one.norm) for one in facts.gradients)
    assert len(facts.cells) > 0


def test_the_saturated_are_counted_where_they_are() -> None:
    levels = logits()
    job = job_of(levels)
    batch = Batch(0, slice(0, 3), Targets(ROWS[:, 0].long(), ROWS[:, 1].long(), ROWS[:, 2:], 2))
    assignment = job.assign(batch, None)
    own = assignment.level == 0
    slot = tuple(getattr(assignment, name)[own] for name in ("image", "anchor", "row", "col"))
    levels[0][(*slot, 4)] = -10.0
    levels[0][(*slot, 2)] = 10.0
    one, two = read(job).facts(labels()).levels
    assert (one.slots_saturated, one.box_saturated) == (one.slots, 0.25)
    assert (two.slots_saturated, two.box_saturated) == (0, 0.0)


def test_paths(tmp_path: Path) -> None:
    """A cell names its picture; where several pictures share a file, their number in it."""
    facts = read(job_of(logits())).facts(labels())
    assert {(cell.picture, cell.image) for cell in facts.cells} <= {("0.jpg", 0), ("1.jpg", 0)}
    shared = labels()
    same = replace(shared, images=replace(shared.images, path=("x.safetensors",) * 2))
    assert {cell.image for cell in read(job_of(logits())).facts(same).cells} == {0, 1}


def test_objectness_at_the_overlaps_of_now() -> None:
    """A head that says the best constant costs it, and one that says the targets costs the floor: by the loss itself."""
    levels = logits()
    job = job_of(levels)
    batch = Batch(0, slice(0, 3), Targets(ROWS[:, 0].long(), ROWS[:, 1].long(), ROWS[:, 2:], 2))
    assignment = job.assign(batch, None)
    found = read(job).facts(labels()).objectness
    assert found is not None
    breakdown = yolov5.loss(HEAD, job.hyp, batch.targets, DensePredictions(levels), assignment, profile="7.0")
    targets, wins = breakdown.extra["objectness_target"], breakdown.extra["wins"]
    constant, exact = [level.clone() for level in levels], [level.clone() for level in levels]
    for index, level in enumerate(HEAD.levels):
        exact[index][..., 4] = -1e4
        for anchor in range(2):
            own = wins & (assignment.level == index) & (assignment.anchor == anchor)
            mean = float(targets[own].sum()) / (2 * level.rows * level.cols)
            constant[index][:, anchor, ..., 4] = math.log(mean / (1 - mean)) if mean else -1e4
            slot = tuple(getattr(assignment, name)[own] for name in ("image", "anchor", "row", "col"))
            exact[index][(*slot, 4)] = torch.logit(targets[own].clamp(1e-7, 1 - 1e-7))
    for given, value in ((levels, found.value), (constant, found.constant), (exact, found.floor)):
        again = yolov5.loss(HEAD, job.hyp, batch.targets, DensePredictions(given), assignment, profile="7.0").item("obj")
        assert value == pytest.approx(float(again), rel=1e-5)
    assert found.floor < found.constant < found.value
    assert read(job_of(levels, hyp=yolov5.Hyp(fl_gamma=1.5))).facts(labels()).objectness is None
