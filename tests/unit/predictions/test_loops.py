"""Training loops with a loss of detloss: tap, file and `compute` give it back, in float32 to 1e-6, in float16 to its tolerance."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from detloss_cli.diagnose import loss as diagnose
from detloss_cli.facts.heads import DumpFacts
from detloss_cli.families import centernet, yolov3_spp, yolov5
from detloss_cli.families.centernet_heads import wanted
from detloss_cli.inputs.head import Head, Level
from detloss_cli.predictions.detloss_tap import tap
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.resolve import Request
from detloss_cli.targets.annotations import index_in_image
from detloss_cli.targets.assignment import Targets

ANCHORS = (((10.0, 13.0), (16.0, 30.0)), ((30.0, 61.0), (62.0, 45.0)))
GRID = Head("tiny", tuple(Level(f"P{3 + i}", 8 << i, 16 >> i, 16 >> i, a) for i, a in enumerate(ANCHORS)), 3, (128, 128))
MAPS = Head("tiny", (Level("P2", 4, 24, 32),), 5, (96, 128))
STEPS = 4
PRECISIONS = [(torch.float32, 1e-6), (torch.float16, 2e-3)]


def rows(seed: int, images: int = 2, classes: int = 3) -> torch.Tensor:
    """Targets of a batch: image, class, centre and size in 0..1, inside the picture."""
    source = torch.Generator().manual_seed(seed)
    size = torch.rand(9, 2, generator=source) * 0.4 + 0.05
    centre = size / 2 + torch.rand(9, 2, generator=source) * (1 - size)
    image, cls = (torch.randint(0, most, (9, 1), generator=source).float() for most in (images, classes))
    return torch.cat((image.sort(0).values, cls, centre, size), 1)


def logits(seed: int, dtype: torch.dtype) -> list[torch.Tensor]:
    source = torch.Generator().manual_seed(seed)
    return [torch.randn(2, 2, level.rows, level.cols, 8, generator=source).to(dtype) for level in GRID.levels]


def steps(folder: Path) -> tuple[DumpFacts, ...]:
    facts, findings = diagnose.compute(Request("compute", preds=str(folder)))
    assert [finding.message for finding in findings if finding.code.startswith("DET50")] == []
    assert facts.dumps is not None
    assert len(facts.dumps) == STEPS
    return facts.dumps


def near(found: tuple[DumpFacts, ...], returned: list[float], tolerance: float) -> None:
    """Each step's total and items."""
    for one, total in zip(found, returned, strict=True):
        assert one.parity is not None
        assert one.parity.difference < tolerance
        assert one.totals["total"] == pytest.approx(total, rel=tolerance)


def grid_loss(family: Any, hyp: Any, profile: str, outputs: Any, targets: torch.Tensor) -> Any:
    """Loss and assignment of a family in the precision of its outputs, added up in float32 as mixed precision does."""
    batch = Targets(targets[:, 0].long(), targets[:, 1].long(), targets[:, 2:], 2)
    predictions = DensePredictions([part.float() for part in outputs])
    return family.loss(GRID, hyp, batch, predictions, family.assign(GRID, hyp, batch, profile=profile), profile=profile)


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
def test_yolov5(tmp_path: Path, dtype: torch.dtype, tolerance: float) -> None:
    hyp = yolov5.scaled(yolov5.Hyp(), GRID, "7.0")

    class ComputeLoss:
        sort_obj_iou, gr = False, 1.0
        anchors = [torch.tensor(level.anchors) / level.stride for level in GRID.levels]  # noqa: RUF012
        stride = (8, 16)

        def __init__(self) -> None:
            self.hyp = {name: value for name, value in asdict(hyp).items() if isinstance(value, int | float)}

        def __call__(self, outputs: Any, targets: Any) -> Any:
            found = grid_loss(yolov5, hyp, "7.0", outputs, targets)
            return found.total * 2, torch.stack([found.item(name) for name in yolov5.TERMS])

    loss = tap(ComputeLoss(), str(tmp_path), every=1)
    near(steps_of(loss, tmp_path, dtype), [float(loss._loss(logits(s, dtype), rows(s))[0]) / 2 for s in range(STEPS)], tolerance)


def steps_of(loss: Any, folder: Path, dtype: torch.dtype, *more: Any) -> tuple[DumpFacts, ...]:
    for step in range(STEPS):
        loss(logits(step, dtype), rows(step), *more)
    return steps(folder)


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
def test_yolov3_spp(tmp_path: Path, dtype: torch.dtype, tolerance: float) -> None:
    hyp = yolov3_spp.scaled(yolov3_spp.Hyp(), GRID, "archive")
    parts = [SimpleNamespace(anchor_vec=torch.tensor(level.anchors) / level.stride, stride=level.stride) for level in GRID.levels]
    said = {name: value for name, value in asdict(hyp).items() if isinstance(value, int | float)}
    model = SimpleNamespace(hyp=said, gr=1.0, module_list=parts, yolo_layers=range(2))

    def compute_loss(outputs: Any, targets: Any, model: Any) -> Any:
        found = grid_loss(yolov3_spp, hyp, "archive", outputs, targets)
        return found.total, torch.stack([*(found.item(name) for name in yolov3_spp.TERMS), found.total])

    loss = tap(compute_loss, str(tmp_path), every=1, profile="archive")
    totals = [float(compute_loss(logits(step, dtype), rows(step), model)[0]) for step in range(STEPS)]
    near(steps_of(loss, tmp_path, dtype, model), totals, tolerance)


class CtdetLoss:
    """CenterNet's loss as its loop calls it: it sees targets by cell, and leaves clamped probabilities in the place of the logits."""

    def __init__(self, hyp: centernet.Hyp) -> None:
        kept = ("hm_weight", "wh_weight", "off_weight", "reg_loss", "norm_wh")
        self.used = hyp
        self.opt = SimpleNamespace(
            **{name: getattr(hyp, name) for name in kept}, down_ratio=4, cat_spec_wh=False, dense_wh=False, mse_loss=False
        )

    def __call__(self, outputs: Any, batch: Any) -> Any:
        levels = [torch.cat((part["wh"], part["reg"], part["hm"]), 1).permute(0, 2, 3, 1)[:, None] for part in outputs]
        targets, assignment = batch["detloss"]
        found = centernet.loss(MAPS, self.used, targets, DensePredictions(levels), assignment, profile="xingyizhou")
        for part in outputs:
            part["hm"] = torch.clamp(part["hm"].sigmoid_(), min=1e-4, max=1 - 1e-4)
        items = centernet.items(MAPS, self.used, found, "xingyizhou")
        return found.total, {"loss": found.total, **dict(zip(("hm_loss", "wh_loss", "off_loss"), items, strict=True))}


def centernet_batch(seed: int) -> dict[str, Any]:
    """A batch as CenterNet's loader makes it, with what it was made of beside."""
    given = rows(seed, classes=5)
    side = torch.tensor([128.0, 96.0, 128.0, 96.0])
    corners = torch.cat((given[:, 2:4] - given[:, 4:] / 2, given[:, 2:4] + given[:, 4:] / 2), 1) * side
    targets = Targets(given[:, 0].long(), given[:, 1].long(), corners, 2, "xyxy_px")
    assignment = centernet.assign(MAPS, centernet.Hyp(), targets, profile="xingyizhou")
    want = wanted(MAPS, 0, targets, assignment)
    place = (want.image, index_in_image(want.image))
    batch: dict[str, Any] = {
        "ind": torch.zeros(2, 16, dtype=torch.int64).index_put(place, want.row * MAPS.levels[0].cols + want.col),
        "reg_mask": torch.zeros(2, 16, dtype=torch.uint8).index_put(place, torch.ones_like(want.row, dtype=torch.uint8)),
        "wh": torch.zeros(2, 16, 2).index_put(place, want.size),
        "reg": torch.zeros(2, 16, 2).index_put(place, want.offset),
        "hm": want.heat.dense(),
    }
    return {**batch, "detloss": (targets, assignment)}


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize("hyp", [centernet.Hyp(), centernet.Hyp(reg_loss="sl1"), centernet.Hyp(norm_wh=True), centernet.Hyp(wh_weight=0.0)])
def test_centernet(tmp_path: Path, hyp: centernet.Hyp, dtype: torch.dtype, tolerance: float) -> None:
    source, loss, totals = torch.Generator().manual_seed(0), tap(CtdetLoss(hyp), str(tmp_path), every=1), []
    for step in range(STEPS):
        outputs = {name: torch.randn(2, size, 24, 32, generator=source).to(dtype) for name, size in (("hm", 5), ("wh", 2), ("reg", 2))}
        total, _ = loss([outputs], centernet_batch(step))
        totals.append(float(total))
    found = steps(tmp_path)
    near(found, totals, tolerance)
    assert all(one.boxes == 9 for one in found)


def test_centernet_logits_end_where_its_loss_clamps_them(tmp_path: Path) -> None:
    """What lies beyond costs the same and has no gradient, in half precision too."""
    loss = tap(CtdetLoss(centernet.Hyp()), str(tmp_path), every=1, limit=2)
    for dtype in (torch.float32, torch.float16):
        outputs = {name: torch.full((2, size, 24, 32), 30.0, dtype=dtype) for name, size in (("hm", 5), ("wh", 2), ("reg", 2))}
        loss([outputs], centernet_batch(0))
    facts, findings = diagnose.compute(Request("compute", preds=str(tmp_path)))
    assert [finding.rule for finding in findings if finding.rule == "prediction-not-finite"] == []
    assert facts.head is not None
    assert facts.head.levels[0].logits["cls"] == pytest.approx((9.2102, 9.2102), abs=1e-3)


def test_centernet_without_offsets_is_one_warning(tmp_path: Path) -> None:
    class Answer:
        opt = SimpleNamespace(mse_loss=False, dense_wh=False, cat_spec_wh=True, down_ratio=4)

        def __call__(self, outputs: Any, batch: Any) -> Any:
            return torch.tensor(1.0), {"loss": torch.tensor(1.0)}

    outputs = [{name: torch.zeros(2, size, 24, 32) for name, size in (("hm", 5), ("wh", 2), ("reg", 2))}]
    with pytest.warns(UserWarning, match="only a focal heat map with one size and offset a cell"):
        tap(Answer(), str(tmp_path), every=1)(outputs, centernet_batch(0))
