"""Label files as columns. One row a box, one entry an image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Images:
    """The images of a data set, in the order in which the trainer reads them. M images.

    path: the picture, or the label file where there is no picture. label_path: "" if there is no label file.
    width, height: (M,) int32, pixels after EXIF rotation, 0 if unknown. split: (M,) the name of the split each belongs to.
    """

    path: tuple[str, ...]
    label_path: tuple[str, ...]
    split: tuple[str, ...]
    width: NDArray[np.int32]
    height: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.path)

    def take(self, index: NDArray[np.int64]) -> Images:
        """Some of them, in the order of their numbers. index: (K,)."""
        path, label_path, split = (tuple(column[n] for n in index.tolist()) for column in (self.path, self.label_path, self.split))
        return Images(path, label_path, split, self.width[index], self.height[index])

    @property
    def sizes_known(self) -> bool:
        """True if every image has a size."""
        return bool((self.width > 0).all())


@dataclass(frozen=True, slots=True)
class Labels:
    """The boxes that were read, in file order. N boxes.

    image: (N,) int64, index into `images`. cls: (N,) int64, class id.
    boxes: (N, 4) float32, centre x, centre y, width, height in 0..1 of the image.
    line: (N,) int32, 1-based line in the label file. names: class names by id.
    """

    image: NDArray[np.int64]
    cls: NDArray[np.int64]
    boxes: NDArray[np.float32]
    line: NDArray[np.int32]
    images: Images
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.image)


def whole_images(image: NDArray[np.int64], size: int) -> Iterator[slice]:
    """The rows in pieces of about `size`, each image whole in one of them.

    Args:
        image: (N,) ascending.
    """
    start = 0
    while start < len(image):
        stop = start + size
        if stop < len(image):
            stop = int(np.searchsorted(image, image[stop], side="left"))
            if stop <= start:  # one image with more boxes than that
                stop = int(np.searchsorted(image, image[start], side="right"))
        yield slice(start, min(stop, len(image)))
        start = stop


def part(labels: Labels, rows: slice) -> Labels:
    """Some boxes of the same images."""
    return replace(labels, image=labels.image[rows], cls=labels.cls[rows], boxes=labels.boxes[rows], line=labels.line[rows])
