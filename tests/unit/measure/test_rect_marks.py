"""What order and shape of rectangular batches mean to a base rate, to marks, and to a loss that remembers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rect_loop import FAMILIES, SIDE, by_hand, head_of, request_of, shipped, targets_of, vars_of, written

from detloss_cli import families
from detloss_cli.diagnose.loss import compute
from detloss_cli.families.interface import BatchTargets
from detloss_cli.predictions.synthetic import ConstantHead


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return written(tmp_path)


def test_what_a_batch_leaves_to_the_next_follows_the_order_of_the_pictures(data: Path) -> None:
    *_, losses, _, _ = by_hand(data, "yolov5", **{**vars_of(shipped(data, "yolov5")), "autobalance": True})
    facts, _ = compute(request_of(data, "yolov5", overrides={"autobalance": True}))
    assert facts.levels is not None
    assert [level.balance_after for level in facts.levels] == pytest.approx(list(losses[-1].state), rel=1e-6)
    assert facts.loss is not None
    assert facts.loss.totals["obj"] == pytest.approx(math.fsum(float(one.item("obj")) for one in losses) / len(losses), rel=1e-6)


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
