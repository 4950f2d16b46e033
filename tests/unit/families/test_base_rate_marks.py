"""The base rate of every family against a numerical minimisation over constant logits, which knows nothing of how it is found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar

from detloss_cli import families
from detloss_cli.families.interface import BatchTargets
from detloss_cli.inputs.model_yaml import read_model_file
from detloss_cli.measure.batches import in_frame
from detloss_cli.predictions.synthetic import ConstantHead
from detloss_cli.targets.assignment import Targets

SIDE, CLASSES, REACH = 64, 2, 25.0
# image, class, centre and size in 0..1: of several sizes, so that more than one level has some
BOXES = [
    [[0, 0, 0.3, 0.4, 0.1, 0.12], [0, 1, 0.7, 0.6, 0.4, 0.3], [1, 0, 0.5, 0.5, 0.05, 0.04], [1, 0, 0.21, 0.8, 0.3, 0.25]],
    [[0, 1, 0.55, 0.35, 0.2, 0.6], [0, 1, 0.15, 0.2, 0.1, 0.1]],
]
HYPS: dict[str, dict[str, Any]] = {
    "plain": {},
    "weighted and smoothed": {"obj_pw": 1.7, "cls_pw": 0.6, "label_smoothing": 0.1},
    "focal": {"fl_gamma": 1.5},
}
CASES = [(name, "plain") for name in families.MODULES] + [("yolov5", "weighted and smoothed"), ("yolov5", "focal"), ("yolov7", "focal")]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Thousands of losses of a few boxes: threads that wait for one another cost more than the arithmetic."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def batches_of(family: Any, head: Any, hyp: Any, profile: str) -> list[BatchTargets]:
    """Each batch assigned by the prior's predictions, in float64."""
    prior = family.prior(head, hyp, profile)
    found = []
    for rows in BOXES:
        table = torch.tensor(rows, dtype=torch.float64)
        boxes = torch.from_numpy(in_frame(table[:, 2:].numpy().astype(np.float32), head.imgsz, family.FRAME)).double()
        targets = Targets(table[:, 0].long(), table[:, 1].long(), boxes, 2, family.FRAME)
        constant = ConstantHead(prior, head.levels, 2) if family.NEEDS_PREDICTIONS else None
        found.append(BatchTargets(targets, family.assign(head, hyp, targets, constant, profile=profile)))
    return found


@pytest.mark.parametrize(("name", "hyp_name"), CASES)
def test_base_rate_is_the_minimum(name: str, hyp_name: str) -> None:
    family = families.load(name)
    profile = list(family.PROFILES)[-1]
    spec = read_model_file(family.MODEL).spec
    head = spec.at((SIDE, SIDE), CLASSES)
    head = family.outputs(head, profile) if hasattr(family, "outputs") else head
    hyp = family.scaled(family.Hyp(**HYPS[hyp_name]), head, profile)
    pairs = batches_of(family, head, hyp, profile)
    fitted = [bias.double() for bias in family.base_rate(head, hyp, profile, pairs)]
    channels = family.channels(head)
    free = [*([channels.obj] if channels.obj is not None else []), *range(channels.cls.start, channels.cls.stop)]

    def cost(logits: list[torch.Tensor]) -> float:
        heads = [ConstantHead(logits, head.levels, 2) for _ in pairs]
        losses = [
            family.loss(head, hyp, pair.targets, one, pair.assignment, profile=profile).total
            for pair, one in zip(pairs, heads, strict=True)
        ]
        return float(torch.stack([torch.as_tensor(loss, dtype=torch.float64) for loss in losses]).mean())

    mark = cost(fitted)
    for level in range(len(head.levels)):
        for channel in free:

            def moved(logit: float, level: int = level, channel: int = channel) -> float:
                logits = [bias.clone() for bias in fitted]
                logits[level][:, channel] = logit
                return cost(logits)

            least = minimize_scalar(moved, bounds=(-REACH, REACH), method="bounded", options={"xatol": 1e-3}).fun
            assert mark - least <= 1e-6 * max(1.0, abs(mark)), (head.levels[level].name, channel)
    start = cost([bias.double() for bias in family.prior(head, hyp, profile)])
    assert mark < start
