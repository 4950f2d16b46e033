"""Pictures that the trainers drop: too small, or without a header that can be read."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from detloss_cli.inputs.columns import Columns
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.labels_read import FileReport, LabelsRead
from detloss_cli.inputs.loaded import Fate
from detloss_cli.inputs.loaders import Loader

# The least side, in pixels, that the loaders of yolov5, yolov7 and ultralytics take.
LEAST_SIDE = 10


def drop_pictures(
    read: LabelsRead,
    pictures: Sequence[str],
    width: NDArray[np.int32],
    height: NDArray[np.int32],
    loader: Loader,
    unreadable: Collection[str] = (),
) -> list[Fault]:
    """Name the pictures below `LEAST_SIDE`; take those below the loader's own bound, and unreadable ones, out of what it loads.

    Args:
        read: changed in place: `loaded` and `reports`.
        width, height: (M,) pixels, 0 if unknown. unreadable: pictures whose header says nothing; a loader that looks at sizes drops them.
    """
    side = np.minimum(width, height)
    known = (width > 0) & (height > 0)
    faults = [
        Fault("image-too-small", pictures[n], None, None, f"{width[n]} x {height[n]}", str(LEAST_SIDE))
        for n in np.flatnonzero(known & (side < LEAST_SIDE)).tolist()
    ]
    dropped = known & (side < loader.min_side)
    if unreadable and loader.min_side:
        dropped |= np.array([picture in unreadable for picture in pictures], dtype=bool)
    gone = dropped[read.loaded.image]
    for image in np.flatnonzero(dropped).tolist():
        kind = "image-too-small" if known[image] else "image-unreadable"
        rows = int((read.loaded.image == image).sum())
        report = read.reports.setdefault(image, FileReport())
        if rows:
            report.lost[kind] = rows
            report.whole = True
        report.fates.append(Fate("drop", pictures[image], None, kind, rows))
    if gone.any():
        kept, old = ~gone, read.loaded
        read.loaded = Columns(old.image[kept], old.line[kept], old.cls[kept], old.boxes[kept])
    return faults
