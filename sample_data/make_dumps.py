"""Trains a small detector on a few sample pictures, rightly and with three faults, and records each with the tap: `sample_data/dumps/`.

    python sample_data/make_dumps.py

The faults are those of the guide docs/my-loss.md: an objectness gain a thousand times too small, boxes that were divided by the size of the
picture twice, and a learning rate that jumps.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

from detloss_cli.families import yolov5
from detloss_cli.inputs.head import Head, Level
from detloss_cli.predictions.detloss_tap import _letterboxed, _pictures, tap
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.targets.assignment import Targets

HERE = Path(__file__).resolve().parent
DATA = HERE / "vegetables" / "data.yaml"
CLASSES, PROFILE, SIDE = 12, "7.0", 96
PICTURES = (12, 16, 19)  # of the training pictures, by name: boxes of three sizes
RATE = 0.05
ANCHORS = (((5.0, 6.0), (8.0, 11.0), (12.0, 9.0)), ((13.0, 18.0), (20.0, 14.0), (22.0, 26.0)), ((34.0, 30.0), (44.0, 52.0), (76.0, 70.0)))


class Detector(nn.Module):
    """Strides 8, 16 and 32, each level from the one before; the head's bias is yolov5's prior."""

    def __init__(self, head: Head, width: int) -> None:
        super().__init__()
        sizes = [3, width, width, 2 * width, 2 * width, 4 * width]
        self.stages = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 3, 2, 1, bias=False), nn.BatchNorm2d(b), nn.SiLU()) for a, b in pairwise(sizes)
        )
        self.heads = nn.ModuleList(nn.Conv2d(size, 3 * (5 + CLASSES), 1) for size in sizes[3:])
        for conv, bias in zip(self.heads, yolov5.prior(head, yolov5.Hyp(), PROFILE), strict=True):
            nn.init.normal_(conv.weight, std=0.01)
            conv.bias.data.copy_(bias.flatten())

    def forward(self, x: Tensor) -> list[Tensor]:
        found = []
        for index, stage in enumerate(self.stages):
            x = stage(x)
            if index >= 2:
                out = self.heads[index - 2](x)
                found.append(out.view(len(x), 3, 5 + CLASSES, *out.shape[2:]).permute(0, 1, 3, 4, 2))
        return found


class ComputeLoss:
    """What a training loop calls, made of detloss's own assignment and loss."""

    sort_obj_iou = False

    def __init__(self, head: Head, hyp: yolov5.Hyp | None = None) -> None:
        self.head, self.used = head, yolov5.scaled(hyp or yolov5.Hyp(), head, PROFILE)
        self.hyp, self.gr = {name: value for name, value in asdict(self.used).items() if isinstance(value, int | float)}, 1.0
        self.anchors, self.stride = [torch.tensor(level.anchors) / level.stride for level in head.levels], list(head.strides)

    def __call__(self, outputs: list[Tensor], targets: Tensor) -> tuple[Tensor, Tensor]:
        rows = Targets(targets[:, 0].long(), targets[:, 1].long(), targets[:, 2:], len(outputs[0]))
        assignment = yolov5.assign(self.head, self.used, rows, profile=PROFILE)
        predictions = DensePredictions([part.float() for part in outputs])
        found = yolov5.loss(self.head, self.used, rows, predictions, assignment, profile=PROFILE)
        return found.total * found.batch_factor, torch.stack([found.item(name) for name in yolov5.TERMS]).detach()


def pictures(side: int, chosen: Sequence[int] | None = None) -> tuple[list[str], Tensor, Tensor]:
    """Names of the training pictures, the pictures letterboxed, and their targets."""
    paths = _pictures(str(DATA), "train")
    paths = paths if chosen is None else [paths[index] for index in chosen]
    loaded = [_letterboxed(path, side) for path in paths]
    targets = [torch.cat([torch.full((len(rows), 1), float(index)), rows], 1) for index, (_, rows) in enumerate(loaded)]
    return [str(Path(path).name) for path in paths], torch.stack([picture for picture, _ in loaded]), torch.cat(targets)


def small_head() -> Head:
    """The head of the recorded runs."""
    levels = tuple(Level(f"P{3 + i}", 8 << i, SIDE // (8 << i), SIDE // (8 << i), anchors) for i, anchors in enumerate(ANCHORS))
    return Head("small", levels, CLASSES, (SIDE, SIDE))


def run(name: str, hyp: yolov5.Hyp, steps: int, rate: Callable[[int], float], *, twice: bool = False, **when: object) -> None:
    """One training, recorded in float16 as mixed precision has it.

    Args:
        twice: boxes in 0..1 are divided by the size of the picture once more.
    """
    torch.manual_seed(0)
    folder = HERE / "dumps" / name
    shutil.rmtree(folder, ignore_errors=True)
    head = small_head()
    names, images, targets = pictures(SIDE, PICTURES)
    if twice:
        targets[:, 2:] /= SIDE
    model, loss = Detector(head, 16), tap(ComputeLoss(head, hyp), str(folder), **when)  # type: ignore[arg-type]
    optimizer = torch.optim.SGD(model.parameters(), lr=rate(0), momentum=0.9, nesterov=True)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate(step)
        loss.batch(names)
        total, _ = loss([out.half() for out in model(images)], targets)
        if not bool(torch.isfinite(total)):
            return
        optimizer.zero_grad()
        total.backward()
        optimizer.step()


def main() -> int:
    """All four."""
    torch.set_num_threads(1)
    hyp = replace(yolov5.Hyp(), obj=20.0)  # train.py scales it by (96 / 640)^2
    run("healthy", hyp, 151, lambda step: RATE, every=50)
    run("weak-objectness", replace(hyp, obj=0.02), 151, lambda step: RATE, every=150)
    run("boxes-divided-twice", hyp, 51, lambda step: RATE, every=50, twice=True)
    run("learning-rate", hyp, 60, lambda step: RATE if step < 30 else 100 * RATE, when=("spike", "nonfinite"), limit=4)
    return 0


if __name__ == "__main__":
    sys.exit(main())
