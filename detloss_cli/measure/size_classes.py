"""COCO's classes of size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SMALL_PX, LARGE_PX = 32.0, 96.0  # sides of a square of that area


def size_classes(area_px: NDArray[np.float32]) -> dict[str, int]:
    """Boxes by COCO's size classes: area below 32^2, below 96^2, and above, pixels of the network input."""
    small = int((area_px < SMALL_PX**2).sum())
    medium = int((area_px < LARGE_PX**2).sum()) - small
    return {"small": small, "medium": medium, "large": len(area_px) - small - medium}
