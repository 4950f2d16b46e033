"""What must hold for yolov5 and yolov3-spp whatever the data: empty input, images apart or together, any order, any thread count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from grids import random_levels, random_targets

from detloss_cli.families import yolov3_spp, yolov5
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.targets.assignment import Targets, on_host

FAMILIES = [pytest.param(yolov5, "7.0", id="yolov5"), pytest.param(yolov3_spp, "archive", id="yolov3-spp")]
COLUMNS = ("level", "image", "anchor", "row", "col", "gt")


def breakdown_of(family, profile, head, targets, levels):
    assignment = family.assign(head, family.Hyp(), targets, profile=profile)
    return family.loss(head, family.Hyp(), targets, DensePredictions(levels), assignment, profile=profile), assignment


@pytest.mark.parametrize(("family", "profile"), FAMILIES)
def test_no_targets_leave_objectness_alone(family, profile, head) -> None:
    targets = random_targets(0, 2, 0)
    breakdown, assignment = breakdown_of(family, profile, head, targets, random_levels(head, 2, 1))
    assert len(assignment) == 0
    assert breakdown.item("box") == 0
    assert breakdown.item("cls") == 0
    assert breakdown.item("obj") > 0
    assert family.reasons(head, family.Hyp(), targets, assignment, profile=profile) == {}


@pytest.mark.parametrize(("family", "profile"), FAMILIES)
@pytest.mark.parametrize("seed", range(5))
def test_images_apart_match_as_they_do_together(family, profile, head, seed) -> None:
    targets, levels = random_targets(24, 3, seed), random_levels(head, 3, seed)
    whole, assignment = breakdown_of(family, profile, head, targets, levels)
    rows, sums = 0, {}
    for image in range(3):
        mine = targets.image == image
        alone = Targets(targets.image[mine] * 0, targets.cls[mine], targets.boxes[mine], 1)
        part, one = breakdown_of(family, profile, head, alone, [level[image : image + 1] for level in levels])
        rows += len(one)
        for term in part.terms:
            size = 1 / 3 if term.name == "obj" else term.count
            sums[term.name, term.level] = sums.get((term.name, term.level), 0.0) + float(term.raw) * size
    assert rows == len(assignment)
    for term in whole.terms:
        expected = sums[term.name, term.level] / (1 if term.name == "obj" else max(term.count, 1))
        assert float(term.raw) == pytest.approx(expected, rel=2e-5)


@pytest.mark.parametrize(("family", "profile"), FAMILIES)
@pytest.mark.parametrize("seed", range(5))
def test_label_order_does_not_matter_without_collisions(family, profile, head, seed) -> None:
    targets, levels = random_targets(2, 2, seed), random_levels(head, 2, seed, torch.float64)
    targets = replace(targets, image=torch.tensor([0, 1]))
    flipped = Targets(targets.image.flip(0), targets.cls.flip(0), targets.boxes.flip(0), 2)
    first, _ = breakdown_of(family, profile, head, targets, levels)
    second, _ = breakdown_of(family, profile, head, flipped, levels)
    assert float(first.total) == pytest.approx(float(second.total), rel=1e-12)


@pytest.mark.parametrize(("family", "profile"), FAMILIES)
@pytest.mark.parametrize("seed", range(5))
def test_numpy_and_torch_assign_the_same_rows(family, profile, head, seed) -> None:
    targets = random_targets(200, 3, seed)
    with_torch = family.assign(head, family.Hyp(), targets, profile=profile)
    with_numpy = family.assign(head, family.Hyp(), on_host(targets), profile=profile)
    for column in COLUMNS:
        np.testing.assert_array_equal(getattr(with_torch, column).numpy(), getattr(with_numpy, column))


def test_thread_count_changes_no_integer_and_no_more_than_rounding(head) -> None:
    targets, levels = random_targets(64, 4, 9), random_levels(head, 4, 9)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(breakdown_of(yolov5, "7.0", head, targets, levels))
    finally:
        torch.set_num_threads(before)
    (one, rows_one), (two, rows_two) = found
    assert all(torch.equal(getattr(rows_one, name), getattr(rows_two, name)) for name in COLUMNS)
    assert torch.equal(one.extra["wins"], two.extra["wins"])
    assert float(one.total) == pytest.approx(float(two.total), rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_every_box_is_assigned_or_has_a_reason(head, seed) -> None:
    targets = random_targets(100, 3, seed)
    tiny = replace(targets, boxes=torch.cat((targets.boxes[:50], targets.boxes[50:] * torch.tensor([1, 1, 0.01, 0.01]))))
    assignment = yolov5.assign(head, yolov5.Hyp(), tiny, profile="7.0")
    reasons = yolov5.reasons(head, yolov5.Hyp(), tiny, assignment, profile="7.0")
    assert set(reasons) | set(assignment.gt.tolist()) == set(range(100))
    assert not set(reasons) & set(assignment.gt.tolist())
    assert any(reason.key == "too_small" for reason in reasons.values())
