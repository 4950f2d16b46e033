"""What the label files of a list of images came to: boxes as columns, and what there is to say about the files that are not clean."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from detloss_cli.inputs.cache_stamps import Stamped
from detloss_cli.inputs.columns import Columns, empty
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.loaded import Fate


@dataclass(slots=True)
class FileReport:
    """One label file that is not clean.

    lost: rule -> rows. skipped: True if it could not be read. whole: True if the loader drops its image.
    """

    faults: list[Fault] = field(default_factory=list)
    fates: list[Fate] = field(default_factory=list)
    lost: dict[str, int] = field(default_factory=dict)
    skipped: bool = False
    whole: bool = False


@dataclass(slots=True)
class LabelsRead:
    """What the label files of a list of M images hold.

    strict, loaded: as the strict loader and as the chosen one keep them; one object where they are the same.
    rows, boxes: (M,) int32 by image. reports: image -> what its file has to say; a clean one has no entry.
    stamped: regular files as they were when they were read; None where nobody asked.
    """

    strict: Columns
    loaded: Columns
    rows: NDArray[np.int32]
    boxes: NDArray[np.int32]
    reports: dict[int, FileReport] = field(default_factory=dict)
    stamped: Stamped | None = None

    @property
    def faults(self) -> list[Fault]:
        """In the order of the images."""
        return [fault for image in sorted(self.reports) for fault in self.reports[image].faults]

    @property
    def fates(self) -> list[Fate]:
        """In the order of the images."""
        return [fate for image in sorted(self.reports) for fate in self.reports[image].fates]

    @property
    def skipped(self) -> set[int]:
        """Images whose label file could not be read."""
        return {image for image, report in self.reports.items() if report.skipped}

    @property
    def lost_images(self) -> set[int]:
        """Images that the loader drops whole."""
        return {image for image, report in self.reports.items() if report.whole}

    @property
    def lost(self) -> dict[str, int]:
        """rule -> rows."""
        found: dict[str, int] = {}
        for report in self.reports.values():
            for kind, rows in report.lost.items():
                found[kind] = found.get(kind, 0) + rows
        return found


def nothing_read(images: int) -> LabelsRead:
    """The start: no file, no box."""
    none = empty()
    return LabelsRead(none, none, np.zeros(images, np.int32), np.zeros(images, np.int32))
