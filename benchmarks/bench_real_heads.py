"""The yolov5 loss of real head tensors, 16 pictures at 640 px and 80 classes, against one written in the plain way."""

from __future__ import annotations

from collections.abc import Iterator

import plain_yolov5
import torch
from in_turn import Goal, Row, in_turn
from workplace import Place

from detloss_cli.families import yolov5
from detloss_cli.inputs.model_yaml import read_model_file
from detloss_cli.predictions.interface import DensePredictions
from detloss_cli.targets.assignment import Targets

CALLS = 20  # of one measurement


def prepare(place: Place) -> None:
    """Nothing: logits and boxes are drawn."""


def measure(place: Place) -> Iterator[Row]:
    source = torch.Generator().manual_seed(0)
    image = torch.randint(0, plain_yolov5.BATCH, (117,), generator=source).sort().values
    size = torch.exp(torch.randn(len(image), 2, generator=source) * 0.9 - 2).clamp(0.01, 0.9)
    centre = size / 2 + torch.rand(len(image), 2, generator=source) * (1 - size)
    cls = torch.randint(0, plain_yolov5.CLASSES, (len(image),), generator=source)
    labels = torch.cat((image[:, None].float(), cls[:, None].float(), centre, size), dim=1)
    heads = [torch.randn(level.shape, generator=source) - 2 for level in plain_yolov5.constant_heads("zero")]
    head = read_model_file("yolov5s").spec.at((plain_yolov5.SIDE, plain_yolov5.SIDE), plain_yolov5.CLASSES)
    hyp = yolov5.Hyp(**plain_yolov5.GAINS)
    targets = Targets(image, cls, torch.cat((centre, size), dim=1), plain_yolov5.BATCH)

    def ours() -> dict[str, torch.Tensor]:
        rows = yolov5.assign(head, hyp, targets, profile="7.0")
        found = yolov5.loss(head, hyp, targets, DensePredictions(heads), rows, profile="7.0")
        return {name: found.item(name) for name in plain_yolov5.GAINS}

    def theirs() -> dict[str, torch.Tensor]:
        return plain_yolov5.loss(heads, labels)

    for name, value in theirs().items():
        torch.testing.assert_close(ours()[name], value, rtol=1e-5, atol=1e-7)
    with torch.no_grad():
        own, plain = in_turn([lambda: [ours() for _ in range(CALLS)], lambda: [theirs() for _ in range(CALLS)]], place.rounds)
    yield Row("yolov5 loss of real tensors", own / CALLS * 1e3, "plain loss", plain / CALLS * 1e3, Goal("ratio", 0.8), unit="ms")
