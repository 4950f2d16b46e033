"""The loss trains, not only matches: a small detector on the sample pictures, recorded by the tap and explained by `compute`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from make_dumps import CLASSES, ComputeLoss, Detector, pictures
from torch import Tensor

from detloss_cli.diagnose import loss as diagnose
from detloss_cli.inputs.head import Head
from detloss_cli.inputs.heads import BUILT_IN
from detloss_cli.predictions.detloss_tap import tap
from detloss_cli.resolve import Request

TOP = 50


def recall(head: Head, outputs: list[Tensor], targets: Tensor) -> float:
    """Share of the boxes that one of the picture's `TOP` surest predictions overlaps by half."""
    boxes, sure = [], []
    for level, out in zip(head.levels, outputs, strict=True):
        rows, cols = torch.meshgrid(torch.arange(level.rows), torch.arange(level.cols), indexing="ij")
        centre = (out[..., :2].sigmoid() * 2 - 0.5 + torch.stack([cols, rows], -1)) * level.stride
        size = (out[..., 2:4].sigmoid() * 2) ** 2 * torch.tensor(level.anchors)[None, :, None, None]
        boxes.append(torch.cat([centre - size / 2, centre + size / 2], -1).flatten(1, 3))
        sure.append(out[..., 4].flatten(1))
    best = torch.cat(sure, 1).topk(TOP, 1).indices
    chosen = torch.cat(boxes, 1).gather(1, best[..., None].expand(-1, -1, 4))
    side = torch.tensor(head.imgsz[::-1]).repeat(2)
    wanted = torch.cat([targets[:, 2:4] - targets[:, 4:] / 2, targets[:, 2:4] + targets[:, 4:] / 2], 1) * side
    near = chosen[targets[:, 0].long()]  # (N, TOP, 4)
    sides = (torch.minimum(near[..., 2:], wanted[:, None, 2:]) - torch.maximum(near[..., :2], wanted[:, None, :2])).clamp(min=0)
    inter = sides.prod(-1)
    union = (near[..., 2:] - near[..., :2]).prod(-1) + (wanted[:, 2:] - wanted[:, :2]).prod(-1)[:, None] - inter
    return float((inter / union > 0.5).any(1).float().mean())


def trained(folder: Path, side: int, width: int, steps: int, every: int) -> dict[str, Any]:
    """A whole training, and what came of it."""
    torch.manual_seed(0)
    head = BUILT_IN["yolov5s"].at((side, side), CLASSES)
    _, images, targets = pictures(side)
    model = Detector(head, width)
    compute_loss = tap(ComputeLoss(head), str(folder), every=every, limit=20)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    totals, before = [], 0.0
    for step in range(steps):
        outputs = model(images)
        if step == 0:
            before = recall(head, [out.detach() for out in outputs], targets)
        loss, _ = compute_loss(outputs, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        totals.append(float(loss.detach()))
    with torch.no_grad():
        after = recall(head, model(images), targets)
    facts, findings = diagnose.compute(Request("compute", preds=str(folder)))
    return {"totals": totals, "before": before, "after": after, "facts": facts, "findings": findings}


def explained(run: dict[str, Any], every: int) -> None:
    """What the dumps say is what the loop saw."""
    dumps, totals = run["facts"].dumps, run["totals"]
    assert [one.step for one in dumps] == list(range(0, len(totals), every))
    for one in dumps:
        assert one.parity.agrees
        assert one.parity.difference < 1e-6
        assert one.totals["total"] * one.images == pytest.approx(totals[one.step], rel=1e-5)
    assert [finding for finding in run["findings"] if finding.code.startswith("DET50")] == []  # DET52 judges how far it has come


def test_seconds_of_training(tmp_path: Path) -> None:
    run = trained(tmp_path, side=128, width=8, steps=27, every=13)
    explained(run, 13)
    assert run["totals"][-1] < 0.75 * run["totals"][0]
    assert run["after"] > run["before"] + 0.1


@pytest.mark.train
def test_minutes_of_training(tmp_path: Path) -> None:
    run = trained(tmp_path, side=192, width=16, steps=150, every=25)
    explained(run, 25)
    assert run["totals"][-1] < 0.35 * run["totals"][0]
    assert run["after"] > 0.6
