"""What labels alone decide, against the plain comparison over every cell and against the assigners' own candidates."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from detloss_cli import families
from detloss_cli.diagnose.loss import inspect_targets
from detloss_cli.families import yolov7, yolov8, yolox
from detloss_cli.inputs.head import Head, Level
from detloss_cli.resolve import Request
from detloss_cli.targets.assignment import Targets
from detloss_cli.targets.sim_ota import candidates

SAMPLE = str(Path(__file__).parents[3] / "sample_data" / "vegetables" / "data.yaml")
SIDE = 128
ANCHORS = ((10.0, 13.0), (40.0, 30.0))
LEVELS = tuple(Level(f"P{i}", 2**i, SIDE >> i, SIDE >> i, ANCHORS) for i in (3, 4, 5))
HEAD = Head("small", LEVELS, 4, (SIDE, SIDE), 16)


def boxes(count: int, seed: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    wh = draw.uniform(1, 60, (count, 2)) ** 1.0
    return np.concatenate((draw.uniform(0, SIDE, (count, 2)), wh), axis=1).astype(np.float32)


@pytest.mark.parametrize("profile", ["8.3.200", "8.4.0", "8.4.190"])
def test_centres_inside_are_those_of_the_whole_grid(profile: str) -> None:
    pixels = boxes(60, 3)
    targets = Targets(np.zeros(60, np.int64), np.zeros(60, np.int64), pixels / SIDE, 1)
    inside, reached = yolov8.open_slots(HEAD, yolov8.Hyp(), targets, profile=profile)
    limit = {"8.3.200": 0, "8.4.0": 8, "8.4.190": 16}[profile]
    for index, level in enumerate(LEVELS):
        x = (np.arange(level.cols) + 0.5) * level.stride
        wide, high = (np.where(side < limit, 16, side) / 2 for side in (pixels[:, 2], pixels[:, 3]))
        across = np.abs(x[None] - pixels[:, :1]) < wide[:, None]
        down = np.abs(x[None] - pixels[:, 1:2]) < high[:, None]
        assert inside.slots[:, index].tolist() == (across.sum(1) * down.sum(1)).tolist()
    assert (reached.slots <= inside.slots).all()


@pytest.mark.parametrize("profile", list(yolox.PROFILES))
def test_cells_near_a_centre_are_those_that_sim_ota_calls_its_own(profile: str) -> None:
    pixels = boxes(50, 5)
    targets = Targets(np.zeros(50, np.int64), np.zeros(50, np.int64), pixels, 1, "cxcywh_px")
    (near,) = yolox.open_slots(HEAD, yolox.Hyp(), targets, profile=profile)
    tensors = Targets(*(torch.from_numpy(column) for column in (targets.image, targets.cls, pixels)), 1, "cxcywh_px")
    found = candidates(tensors, LEVELS, yolox.PROFILES[profile].rules)
    level = found.level[found.cell]
    counts = torch.bincount(found.box * 3 + level, minlength=150).reshape(50, 3)
    assert near.slots.tolist() == counts.tolist()


def test_anchors_of_its_shape_are_what_the_plain_loss_takes() -> None:
    targets = Targets(np.zeros(50, np.int64), np.zeros(50, np.int64), boxes(50, 7) / SIDE, 1)
    for profile in yolov7.PROFILES:
        (open_to,) = yolov7.open_slots(yolov7.outputs(HEAD, profile), yolov7.Hyp(), targets, profile=profile)
        rows = yolov7.assign(HEAD, yolov7.Hyp(), targets, profile="plain")
        counts = np.zeros((50, 3), dtype=int)
        np.add.at(counts, (rows.gt, rows.level), 1)
        assert open_to.slots.tolist() == counts.tolist()


def test_a_box_that_nothing_is_open_to_has_that_for_its_reason() -> None:
    request = Request("inspect targets", (SAMPLE,), model="yolo11s", profile="8.3.200", imgsz=(128, 128))
    facts, _ = inspect_targets(request)
    assert facts.reach is not None
    assert facts.assignment is not None
    assert facts.reach.tests[0].none == facts.assignment.by_reason["no_centre_inside"] > 0
    assert [size.imgsz for size in facts.reach.sizes] == [(128, 128), (192, 192), (256, 256)]
    assert list(facts.reach.sizes[0].none) == ["8.1 to 8.3.200", "8.4.0 to 8.4.190"]
    assert facts.reach.sizes[0].none["8.1 to 8.3.200"] == facts.reach.tests[0].none
    larger, _ = inspect_targets(replace(request, imgsz=(256, 256)))
    assert larger.reach is not None
    assert larger.reach.tests[0].none == facts.reach.sizes[2].none["8.1 to 8.3.200"]


@pytest.mark.parametrize("family", ["yolov8", "yolov7", "yolox"])
def test_no_boxes(family: str) -> None:
    module = families.load(family)
    nothing = Targets(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, 4), np.float32), 1, module.FRAME)
    for test in module.open_slots(HEAD, module.Hyp(), nothing, profile=list(module.PROFILES)[-1]):
        assert test.slots.shape == (0, 3)


@pytest.mark.parametrize("family", ["yolov8", "yolov7", "yolox"])
def test_no_torch_is_asked(family: str) -> None:
    code = (
        "import sys, numpy as np\n"
        f"from detloss_cli.families import {family} as f\n"
        "from detloss_cli.inputs.head import Head, Level\n"
        "from detloss_cli.targets.assignment import Targets\n"
        "t = Targets(np.zeros(1, int), np.zeros(1, int), np.full((1, 4), .5, np.float32), 1, f.FRAME)\n"
        "h = Head('h', (Level('P3', 8, 8, 8, ((9., 9.),)),), 2, (64, 64), 16)\n"
        "f.open_slots(h, f.Hyp(), t, profile=list(f.PROFILES)[-1])\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
