"""Labels as the batches that a trainer would form of them: file order, no mosaic, no shuffling."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detloss_cli.inputs.head import Head
from detloss_cli.inputs.labels import Labels
from detloss_cli.targets.assignment import Frame, Targets

MOST_IMAGES = 8192  # of a run: images without boxes take memory as well, a few numbers each

Lift = Callable[[NDArray[Any]], Any]  # numpy to the arrays that the assigner shall work on


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch. first_image: index of its first image. rows: its rows of the labels. targets: those, image numbers from 0.

    head: that sees it, where batches differ in their input shape.
    """

    first_image: int
    rows: slice
    targets: Targets
    head: Head | None = None


def batches(labels: Labels, network: NDArray[np.float32], imgsz: tuple[int, int], size: int, frame: Frame, lift: Lift) -> Iterator[Batch]:
    """Batches of consecutive images, the last one smaller; none for a data set without images.

    Args:
        network: (N, 4) boxes in 0..1 of the network input. imgsz: its height and width, pixels. size: images a batch.
        frame: how the family takes its boxes. lift: makes the arrays.
    """
    boxes = in_frame(network, imgsz, frame)
    total = len(labels.images)
    edges = np.searchsorted(labels.image, np.arange(0, total + size, size))
    for index, first in enumerate(range(0, total, size)):
        rows = slice(int(edges[index]), int(edges[index + 1]))
        yield _batch(labels, boxes, first, min(size, total - first), rows, frame, lift)


def stacks(labels: Labels, size: int, most_boxes: int) -> Iterator[tuple[range, slice]]:
    """Runs of whole batches: the images of each and their rows of the labels. A batch is never cut, however many boxes it has.

    Args:
        size: images a batch. most_boxes: of a run, where a single batch has no more.
    """
    total = len(labels.images)
    edges = np.searchsorted(labels.image, np.minimum(np.arange(0, total + size, size), total))
    first = 0
    while first < len(edges) - 1:
        last = max(first + 1, int(np.searchsorted(edges, edges[first] + most_boxes, side="right")) - 1)
        last = min(last, first + max(1, MOST_IMAGES // size), len(edges) - 1)
        yield range(first * size, min(last * size, total)), slice(int(edges[first]), int(edges[last]))
        first = last


def stack_of(
    labels: Labels, network: NDArray[np.float32], imgsz: tuple[int, int], images: range, rows: slice, frame: Frame, lift: Lift
) -> Batch:
    """One run of `stacks` as if it were a single batch."""
    boxes = in_frame(network[rows], imgsz, frame)
    targets = Targets(lift(labels.image[rows] - images.start), lift(labels.cls[rows]), lift(boxes), len(images), frame)
    return Batch(images.start, rows, targets)


def _batch(labels: Labels, boxes: NDArray[np.float32], first: int, images: int, rows: slice, frame: Frame, lift: Lift) -> Batch:
    targets = Targets(lift(labels.image[rows] - first), lift(labels.cls[rows]), lift(boxes[rows]), images, frame)
    return Batch(first, rows, targets)


def in_frame(network: NDArray[np.float32], imgsz: tuple[int, int], frame: Frame) -> NDArray[np.float32]:
    """(N, 4) boxes in the frame that a family takes, float32."""
    if frame == "cxcywh":
        return network
    height, width = imgsz
    scaled = network * np.asarray([width, height, width, height], dtype=np.float32)
    if frame == "cxcywh_px":
        return scaled
    half = scaled[:, 2:] / np.float32(2)
    return np.concatenate((scaled[:, :2] - half, scaled[:, :2] + half), axis=1)
