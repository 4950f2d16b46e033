"""Squared error of a box's size against its anchor, in log space."""

from __future__ import annotations

import torch
from torch import Tensor


def log_wh_target(wh: Tensor, anchors: Tensor, scale: Tensor) -> Tensor:
    """The logit that gives a size: log(wh / anchor x scale). A zero side gives -inf, a negative one NaN, as upstream does.

    Args:
        wh: (P, 2) in 0..1 of the network input. anchors: (P, 2) pixels. scale: (2,) width and height of the network input, pixels.
    """
    return torch.log(wh / anchors * scale)


def log_wh_squared(logit: Tensor, target: Tensor) -> Tensor:
    """0.5 (target - t)^2, unreduced.

    Args:
        logit: (P, 2) t. target: (P, 2), of `log_wh_target`.
    Source: YOLOv3, arXiv 1804.02767, section 2.1; the factor 0.5 is qqwweee/keras-yolo3's.
    """
    return 0.5 * (target - logit) ** 2
