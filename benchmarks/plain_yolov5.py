"""What a user scripts who wants the loss of a data set from a trainer: label files read one by one, batches of 16, targets and a dense loss
for each batch, in torch. Written for the benchmarks from the rules of yolov5 7.0, independently of detloss.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

BATCH, CLASSES, SIDE = 16, 80, 640
STRIDES = (8, 16, 32)
ANCHORS = torch.tensor(
    [[[10, 13], [16, 30], [33, 23]], [[30, 61], [62, 45], [59, 119]], [[116, 90], [156, 198], [373, 326]]], dtype=torch.float32
)
RATIO, BALANCE = 4.0, (4.0, 1.0, 0.4)
GAINS = {"box": 0.05, "obj": 1.0, "cls": 0.5}
Rows = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


def read(folder: Path) -> list[list[list[float]]]:
    """Rows of each label file below labels/train, in the order of the pictures; an image without a file has none."""
    found = []
    for picture in (folder / "train.txt").read_text(encoding="utf-8").splitlines():
        label = folder / "labels" / "train" / (Path(picture).stem + ".txt")
        if label.exists():
            with label.open(encoding="utf-8") as file:
                found.append([[float(word) for word in line.split()] for line in file if line.strip()])
        else:
            found.append([])
    return found


def batches(images: list[list[list[float]]]) -> Iterator[tuple[Tensor, int]]:
    """(n, 6) image, class, centre, size of each batch, and its number of images."""
    for first in range(0, len(images), BATCH):
        chunk = images[first : first + BATCH]
        rows = [[float(place), *row] for place, own in enumerate(chunk) for row in own]
        yield torch.tensor(rows, dtype=torch.float32).reshape(-1, 6), len(chunk)


def rows_of(labels: Tensor, level: int) -> tuple[Rows, Tensor, Tensor]:
    """Positives of a level: image, anchor, row, column and label of each, the box that its cell is held to, and the anchor, in cells."""
    side = SIDE // STRIDES[level]
    anchors = ANCHORS[level] / STRIDES[level]
    scaled = labels[:, 2:] * side
    ratio = scaled[None, :, 2:] / anchors[:, None]
    fits = torch.max(ratio, 1 / ratio).amax(dim=2) < RATIO
    anchor, label = torch.where(fits)
    centre = scaled[label, :2]
    mirrored = side - centre
    before = (centre.remainder(1) < 0.5) & (centre > 1)
    after = (mirrored.remainder(1) < 0.5) & (mirrored > 1)
    parts = [(torch.ones_like(label, dtype=torch.bool), (0.0, 0.0))]
    parts += [(before[:, 0], (0.5, 0.0)), (before[:, 1], (0.0, 0.5)), (after[:, 0], (-0.5, 0.0)), (after[:, 1], (0.0, -0.5))]
    chosen = torch.cat([torch.where(taken)[0] for taken, _ in parts])
    step = torch.cat([torch.tensor([shift]).expand(int(taken.sum()), 2) for taken, shift in parts])
    cell = (centre[chosen] - step).long().clamp(0, side - 1)
    anchor, label = anchor[chosen], label[chosen]
    wanted = torch.cat((scaled[label, :2] - cell, scaled[label, 2:]), dim=1)
    return (labels[label, 0].long(), anchor, cell[:, 1], cell[:, 0], label), wanted, anchors[anchor]


def targets(labels: Tensor) -> list[tuple[Rows, Tensor, Tensor]]:
    """Positives of all levels."""
    return [rows_of(labels, level) for level in range(len(STRIDES))]


def loss(heads: list[Tensor], labels: Tensor) -> dict[str, Tensor]:
    """box, obj and cls of one batch, weighted, () each. heads: (B, 3, H, W, 85) logits a level."""
    total = {name: heads[0].new_zeros(()) for name in GAINS}
    for level, head in enumerate(heads):
        (image, anchor, row, col, label), wanted, size = rows_of(labels, level)
        goal = torch.zeros(head.shape[:4])
        if len(label):
            said = head[image, anchor, row, col]
            half = said[:, :4].sigmoid() * 2
            overlap = ciou(torch.cat((half[:, :2] - 0.5, half[:, 2:] ** 2 * size), dim=1), wanted)
            total["box"] = total["box"] + (1 - overlap).mean()
            goal[image, anchor, row, col] = overlap.detach().clamp(min=0)
            present = functional.one_hot(labels[label, 1].long(), CLASSES).float()
            total["cls"] = total["cls"] + functional.binary_cross_entropy_with_logits(said[:, 5:], present)
        total["obj"] = total["obj"] + BALANCE[level] * functional.binary_cross_entropy_with_logits(head[..., 4], goal)
    return {name: value * GAINS[name] for name, value in total.items()}


def ciou(one: Tensor, other: Tensor) -> Tensor:
    """CIoU of boxes given by centre and size, (n, 4) both."""
    low1, high1 = one[:, :2] - one[:, 2:] / 2, one[:, :2] + one[:, 2:] / 2
    low2, high2 = other[:, :2] - other[:, 2:] / 2, other[:, :2] + other[:, 2:] / 2
    common = (torch.min(high1, high2) - torch.max(low1, low2)).clamp(min=0).prod(dim=1)
    ratio = common / (one[:, 2] * one[:, 3] + other[:, 2] * other[:, 3] - common + 1e-7)
    hull = torch.max(high1, high2) - torch.min(low1, low2)
    apart = ((low2 + high2 - low1 - high1) ** 2).sum(dim=1) / 4
    turned = 4 / math.pi**2 * (torch.atan(other[:, 2] / other[:, 3]) - torch.atan(one[:, 2] / one[:, 3])) ** 2
    with torch.no_grad():
        share = turned / (turned - ratio + 1 + 1e-7)
    return ratio - apart / ((hull**2).sum(dim=1) + 1e-7) - share * turned


def constant_heads(kind: str, images: int = BATCH) -> list[Tensor]:
    """Logits of a fresh head (`prior`) or of 0 (`zero`), (B, 3, H, W, 85) a level."""
    heads = []
    for stride in STRIDES:
        logits = torch.zeros(images, 3, SIDE // stride, SIDE // stride, 5 + CLASSES)
        if kind == "prior":
            logits[..., 4], logits[..., 5:] = math.log(8 / (SIDE / stride) ** 2), math.log(0.6 / (CLASSES - 0.99999))
        heads.append(logits)
    return heads


def mean_loss(kind: str, batched: list[tuple[Tensor, int]]) -> dict[str, float]:
    """Mean of the loss over batches, for a head that says the same everywhere."""
    heads, sums = constant_heads(kind), dict.fromkeys(GAINS, 0.0)
    with torch.no_grad():
        for labels, images in batched:
            for name, value in loss([head[:images] for head in heads], labels).items():
                sums[name] += float(value) / len(batched)
    return sums
