"""What is said to be a box's loss is what changes when the head says something else at that box's slots, and at no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from detloss_cli import families
from detloss_cli.diagnose.loss import compute
from detloss_cli.inputs.model_yaml import read_model_file
from detloss_cli.losses.term import LossBreakdown
from detloss_cli.measure.batches import Batch, in_frame
from detloss_cli.measure.box_loss import BoxLoss
from detloss_cli.measure.loss import LossCount
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.resolve import Request
from detloss_cli.targets.assignment import Assignment, Targets

SAMPLE = Path(__file__).parents[3] / "sample_data" / "vegetables" / "data.yaml"
SIDE, CLASSES = 64, 3
# image, class, centre and size in 0..1; two boxes of one class share their centre, so that slots are contested
BOXES = np.asarray(
    [
        [0, 0, 0.3, 0.4, 0.1, 0.12],
        [0, 1, 0.7, 0.6, 0.4, 0.3],
        [0, 1, 0.7, 0.6, 0.38, 0.32],
        [1, 2, 0.5, 0.5, 0.05, 0.04],
        [1, 0, 0.21, 0.8, 0.3, 0.25],
    ],
    dtype=np.float32,
)
WHOLE = {"xy", "wh", "box", "l1", "giou", "dfl", "size", "offset", "centerness", "pull", "push"}  # terms that no empty cell adds to


def case(name: str) -> tuple[Any, Any, Any, str, Targets]:
    family = families.load(name)
    profile = list(family.PROFILES)[-1]
    spec = read_model_file(family.MODEL).spec
    head = spec.at((SIDE, SIDE), CLASSES)
    head = family.outputs(head, profile) if hasattr(family, "outputs") else head
    hyp = family.scaled(family.Hyp(), head, profile)
    boxes = torch.from_numpy(in_frame(BOXES[:, 2:], head.imgsz, family.FRAME)).double()
    image, cls = (torch.from_numpy(BOXES[:, column]).long() for column in (0, 1))
    return family, head, hyp, profile, Targets(image, cls, boxes, 2, family.FRAME)


def noise(family: Any, head: Any, hyp: Any, profile: str, low: float = 0.1) -> list[torch.Tensor]:
    """Logits around 0.5, the same from run to run; boxes of a family that wants coordinates in 0..1 stay inside."""
    shapes = [tuple(level.shape) for level in family.prior(head, hyp, profile)]
    made = torch.Generator().manual_seed(3)
    grids = [(2, shape[0], level.rows, level.cols, shape[1]) for shape, level in zip(shapes, head.levels, strict=True)]
    return [low + 0.8 * torch.rand(grid, generator=made, dtype=torch.float64) for grid in grids]


def by_box(head: Any, breakdown: LossBreakdown, assignment: Assignment, targets: Targets) -> Any:
    count, boxes = LossCount(head), BoxLoss(len(BOXES))
    count.add(breakdown)
    boxes.add(Batch(0, slice(0, len(BOXES)), targets), breakdown, assignment)
    return boxes.facts(count), count.totals()


@pytest.mark.parametrize("name", list(families.MODULES))
def test_only_slots_of_a_box_change_its_loss(name: str) -> None:
    family, head, hyp, profile, targets = case(name)
    logits = noise(family, head, hyp, profile)
    assignment = family.assign(head, hyp, targets, DensePredictions(logits), profile=profile)
    box = 1 if bool((assignment.gt == 1).any()) else int(assignment.gt[0])  # its slots are contested where a family allows that
    rows = torch.nonzero(assignment.gt == box).squeeze(1)
    other = [level.clone() for level in logits]
    channels = family.channels(head)
    heat = hasattr(family, "HEAT_MAPS")
    for row in rows.tolist():
        slot = tuple(int(column[row]) for column in (assignment.image, assignment.anchor, assignment.row, assignment.col))
        # on a heat map the other classes of a cell are cells of their own
        touched = [channels.cls.start + int(targets.cls[box])] if heat else list(range(logits[0].shape[-1]))
        for channel in touched:
            other[int(assignment.level[row])][(*slot, channel)] += 0.05
    before = by_box(head, family.loss(head, hyp, targets, DensePredictions(logits), assignment, profile=profile), assignment, targets)
    after = by_box(head, family.loss(head, hyp, targets, DensePredictions(other), assignment, profile=profile), assignment, targets)
    columns = (assignment.level, assignment.image, assignment.anchor, assignment.row, assignment.col)
    slots = list(zip(*(column.tolist() for column in columns), strict=True))
    own = {slots[row] for row in rows.tolist()}
    moved = {gt for slot, gt in zip(slots, assignment.gt.tolist(), strict=True) if slot in own}
    still = [number for number in range(len(BOXES)) if number not in moved]
    (first, first_totals), (second, second_totals) = before, after
    for index, term in enumerate(first.terms):
        change = second_totals[term] - first_totals[term]
        told = float((second.loss[:, index] - first.loss[:, index]).sum())
        assert told == pytest.approx(change, abs=1e-9), term
        assert np.allclose(second.loss[still, index], first.loss[still, index], atol=1e-9), term
        assert second.background[term] == pytest.approx(first.background[term], abs=1e-9), term
    assert any(abs(second_totals[term] - first_totals[term]) > 1e-7 for term in first.terms)


@pytest.mark.parametrize("name", list(families.MODULES))
def test_terms_without_empty_cells_are_all_told(name: str) -> None:
    family, head, hyp, profile, targets = case(name)
    predictions = DensePredictions(noise(family, head, hyp, profile))
    assignment = family.assign(head, hyp, targets, predictions, profile=profile)
    facts, totals = by_box(head, family.loss(head, hyp, targets, predictions, assignment, profile=profile), assignment, targets)
    assert set(facts.terms) & WHOLE
    for index, term in enumerate(facts.terms):
        left = totals[term] - facts.loss[:, index].sum()
        assert facts.background[term] == pytest.approx(left, abs=1e-12)
        if term in WHOLE:
            assert left == pytest.approx(0, abs=1e-9), term
        assert left >= -1e-9, term


@pytest.mark.parametrize("name", list(families.MODULES))
def test_columns_and_background_are_the_totals(name: str) -> None:
    facts, _ = compute(Request("compute", (str(SAMPLE),), family=name, split="val", batch_size=4))
    assert facts.loss is not None
    assert facts.boxes is not None
    assert facts.box_loss is not None
    told = facts.box_loss
    assert told.loss.shape == (len(facts.boxes.line), len(told.terms))
    assert set(told.terms) == set(facts.loss.totals) - {"total"}
    for index, term in enumerate(told.terms):
        assert told.loss[:, index].sum() + told.background[term] == pytest.approx(facts.loss.totals[term], rel=1e-12)
        if term in WHOLE:
            assert abs(told.background[term]) <= 2e-6 * max(1.0, abs(facts.loss.totals[term])), term
    if name in {"yolov5", "centernet", "fcos"}:  # assigned without predictions: who has no row adds nothing
        bare = facts.boxes.positives.sum(axis=1) == 0
        assert not told.loss[bare].any()


def test_a_slot_counts_for_the_box_that_wins_it() -> None:
    family, head, hyp, profile, targets = case("yolov5")
    predictions = DensePredictions(noise(family, head, hyp, profile))
    assignment = family.assign(head, hyp, targets, predictions, profile=profile)
    facts, _ = by_box(head, family.loss(head, hyp, targets, predictions, assignment, profile=profile), assignment, targets)
    obj = facts.loss[:, facts.terms.index("obj")]
    assert (assignment.gt == 1).sum() == (assignment.gt == 2).sum()
    assert obj[1] < obj[2]


def test_no_boxes_at_all() -> None:
    facts = BoxLoss(0).facts(LossCount(case("yolov5")[1]))
    assert facts.loss.shape == (0, 0)
    assert facts.background == {}
