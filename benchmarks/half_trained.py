"""Head outputs of a batch of COCO's shape as a half-trained model gives them: near the nearest box, with noise. Seeded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

STRIDES = (8, 16, 32)
CLASSES = 80
BINS = 16  # of a distribution of distances
SEED = 0
NOISE = 0.3  # of centres in cells, of logarithms of sizes
LIKELY, UNLIKELY = 0.0, -5.0  # mean class logit of the nearest box's class near that box, and of all else


@dataclass(frozen=True, slots=True)
class Batch:
    """Boxes of B images. image, cls: (N,) int64. boxes: (N, 4) centre and size, 0..1. side: of the square input, px. images: B."""

    image: Tensor
    cls: Tensor
    boxes: Tensor
    side: int
    images: int

    def grids(self) -> list[tuple[int, int, int]]:
        """stride, rows, cols of each level."""
        return [(stride, self.side // stride, self.side // stride) for stride in STRIDES]


def read_batch(labels: Path, images: int, side: int) -> Batch:
    """The boxes of the first label files of a folder, in YOLO's five columns."""
    rows = []
    for number, path in enumerate(sorted(labels.glob("*.txt"))[:images]):
        rows += [[number, *map(float, line.split())] for line in path.read_text(encoding="ascii").splitlines()]
    table = torch.tensor(rows, dtype=torch.float64)
    return Batch(table[:, 0].long(), table[:, 1].long(), table[:, 2:].float(), side, images)


def outputs(batch: Batch, *, yolox: bool) -> list[Tensor]:
    """One (B, C, H, W) a level: 4 BINS distances and a logit a class, or YOLOX's x, y, w, h, objectness and a logit a class."""
    draw = torch.Generator().manual_seed(SEED)
    return [_level(batch, stride, rows, cols, yolox, draw) for stride, rows, cols in batch.grids()]


def _level(batch: Batch, stride: int, rows: int, cols: int, yolox: bool, draw: torch.Generator) -> Tensor:
    first = 5 if yolox else 4 * BINS
    out = torch.empty(batch.images, first + CLASSES, rows, cols).normal_(generator=draw)
    row, col = torch.meshgrid(torch.arange(rows), torch.arange(cols), indexing="ij")
    centre = (torch.stack((col, row), -1).reshape(-1, 2) + 0.5) * stride
    for image in range(batch.images):
        own = torch.nonzero(batch.image == image).squeeze(1)
        plane = out[image].reshape(first + CLASSES, -1)
        plane[first:] += UNLIKELY
        if not len(own):
            continue
        boxes = batch.boxes[own] * batch.side
        nearest = (torch.cdist(centre, boxes[:, :2]) / boxes[:, 2:].amax(1)).argmin(1)
        box, cls = boxes[nearest], batch.cls[own][nearest]
        near = ((centre - box[:, :2]).abs() < box[:, 2:] / 2).all(1)
        plane[first:].scatter_add_(0, cls[None], (near * (LIKELY - UNLIKELY))[None].float())
        if yolox:
            plane[:2] = plane[:2] * NOISE + ((box[:, :2] - centre) / stride + 0.5).T
            plane[2:4] = plane[2:4] * NOISE + (box[:, 2:] / stride).log().T
            plane[4] += torch.where(near, LIKELY, UNLIKELY)
        else:
            sides = torch.cat((centre - box[:, :2] + box[:, 2:] / 2, box[:, :2] + box[:, 2:] / 2 - centre), 1) / stride
            peak = -((torch.arange(BINS)[None, None] - sides[..., None]) ** 2)  # (cells, 4, BINS)
            plane[:first] += peak.permute(1, 2, 0).reshape(first, -1).clamp(min=-20)
    return out
