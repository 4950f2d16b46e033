"""A head that is never built gives the numbers of the one that is."""

from __future__ import annotations

import pytest
import torch
from grids import P5, random_targets

from detloss_cli.families import yolov3_spp, yolov5
from detloss_cli.families.interface import BatchTargets
from detloss_cli.inputs.head import Head, HeadSpec
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.predictions.synthetic import ConstantHead

FAMILIES = [pytest.param(yolov5, "7.0", id="yolov5"), pytest.param(yolov3_spp, "archive", id="yolov3-spp")]
COLUMNS = ("box", "obj", "cls")


@pytest.fixture
def head() -> Head:
    return HeadSpec("small", "yolov5", (8, 16, 32), P5).at((128, 160), 4)


def heads_of(family, profile, head, targets):
    hyp = family.Hyp()
    assignment = family.assign(head, hyp, targets, profile=profile)
    batches = [BatchTargets(targets, assignment)]
    return {
        "prior": ConstantHead(family.prior(head, hyp, profile), head.levels, targets.images),
        "base-rate": ConstantHead(family.base_rate(head, hyp, profile, batches), head.levels, targets.images),
        "perfect": family.perfect(head, hyp, profile, targets, assignment),
    }, assignment


@pytest.mark.parametrize(("family", "profile"), FAMILIES)
@pytest.mark.parametrize("count", [0, 1, 40])
def test_closed_form_background_equals_the_dense_plane(family, profile, count, head) -> None:
    targets = random_targets(count, 3, 1)
    heads, assignment = heads_of(family, profile, head, targets)
    for name, predictions in heads.items():
        built = DensePredictions([predictions.dense(i) for i in range(3)])
        sparse = family.loss(head, family.Hyp(), targets, predictions, assignment, profile=profile)
        dense = family.loss(head, family.Hyp(), targets, built, assignment, profile=profile)
        for one, other in zip(sparse.terms, dense.terms, strict=True):
            torch.testing.assert_close(one.raw, other.raw, rtol=1e-10, atol=1e-14, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize(("family", "profile"), FAMILIES)
def test_no_constant_head_beats_the_base_rate(family, profile, head) -> None:
    targets = random_targets(40, 3, 2)
    heads, assignment = heads_of(family, profile, head, targets)
    best = family.loss(head, family.Hyp(), targets, heads["base-rate"], assignment, profile=profile)
    bias = [level.clone() for level in heads["base-rate"]._bias]
    for channels, name in ((slice(4, 5), "obj"), (slice(5, 6), "cls"), (slice(8, 9), "cls")):
        for step in (-0.01, 0.01):
            moved = [level.clone() for level in bias]
            for level in moved:
                level[:, channels] += step
            other = family.loss(head, family.Hyp(), targets, ConstantHead(moved, head.levels, 3), assignment, profile=profile)
            assert other.item(name) > best.item(name)


@pytest.mark.parametrize(("family", "profile"), FAMILIES)
def test_perfect_is_zero_where_nothing_collides(family, profile, head) -> None:
    targets = random_targets(1, 1, 5)
    heads, assignment = heads_of(family, profile, head, targets)
    assert len(assignment) > 0
    perfect = family.loss(head, family.Hyp(), targets, heads["perfect"], assignment, profile=profile)
    prior = family.loss(head, family.Hyp(), targets, heads["prior"], assignment, profile=profile)
    for name in COLUMNS:
        assert float(perfect.item(name)) < 1e-2 * float(prior.item(name))
