"""Random targets and head outputs for a small head."""

from __future__ import annotations

import torch

from detloss_cli.inputs.head import Head
from detloss_cli.targets.assignment import Targets

P5 = (((10, 13), (16, 30), (33, 23)), ((30, 61), (62, 45), (59, 119)), ((116, 90), (156, 198), (373, 326)))


def random_targets(count: int, images: int, seed: int, dtype: torch.dtype = torch.float32) -> Targets:
    """Boxes inside the picture, image numbers ascending."""
    source = torch.Generator().manual_seed(seed)
    image = torch.randint(0, images, (count,), generator=source).sort().values
    size = torch.rand((count, 2), generator=source) * 0.6 + 0.02
    centre = torch.rand((count, 2), generator=source) * (1 - size) + size / 2
    cls = torch.randint(0, 4, (count,), generator=source)
    return Targets(image, cls, torch.cat((centre, size), 1).to(dtype), images)


def random_levels(head: Head, images: int, seed: int, dtype: torch.dtype = torch.float32) -> list[torch.Tensor]:
    source = torch.Generator().manual_seed(seed)
    shapes = [(images, 3, level.rows, level.cols, 5 + head.num_classes) for level in head.levels]
    return [torch.randn(shape, generator=source).to(dtype) for shape in shapes]
