"""Rules about boxes, judged by columns: a set without faults costs a few array operations."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from detloss_cli.checks.box_pairs import close_pairs
from detloss_cli.checks.rule import Rule, Words, rule
from detloss_cli.inputs.duplicates import first_equal
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.labels import Labels, part, whole_images

# Past the edge by less than this part of the side is rounding.
EDGE = 1e-3
# What covers at least this part of both sides covers the image.
COVERS = 0.99
# Augmentation of the trainers drops boxes that are longer.
ASPECT = 100.0
# Boxes that are looked at together: few enough for the processor's cache.
CHUNK = 1 << 15


def box_past_edge(fault: Fault) -> Words:
    """A box reaches past the edge of the image.

    Accepted everywhere and clipped later (yolov5, ultralytics) or trained as it is: the target then asks for what the network cannot see.
    """
    return f"{fault.token} reaches past the edge by {fault.detail} of the image", "clip the box to the image"


def subpixel_box(fault: Fault) -> Words:
    """A box is narrower than a pixel of the network's input.

    No default anchor matches it; it trains nothing.
    """
    return f"{fault.token} is {fault.detail} at the network's input", "delete it, or train at a larger --imgsz"


def duplicate_box(fault: Fault) -> Words:
    """A row repeats an earlier one.

    yolov5 4.0 to 6.0 and yolov7 drop the image, later yolov5 and ultralytics the repeats; yolov3-spp counts the object twice.
    """
    return f"repeats line {fault.detail}", "delete one of the two"


def near_duplicate_box(fault: Fault) -> Words:
    """Two boxes of one class are almost the same.

    No loader removes them: the object counts twice, and both compete for the same cells.
    """
    return f"almost the box of line {fault.detail}", "delete one of the two"


def box_two_classes(fault: Fault) -> Words:
    """One box has two classes.

    Both compete for the same cells and anchors, and the later one wins some of them. Multi-label training needs another loss.
    """
    return f"almost the box of line {fault.detail}, with another class", "keep the right one"


def box_covers_image(fault: Fault) -> Words:
    """A box covers the whole image.

    Fine for close-ups; as a rule it is a classification label, or a default of the tool that wrote it.
    """
    return f"{fault.token} covers the image", None


def extreme_aspect(fault: Fault) -> Words:
    """A box is 100 times longer than wide, or more.

    The augmentation of yolov5, yolov7 and ultralytics drops it, and no anchor matches it.
    """
    return f"{fault.token} is {fault.detail} times longer than wide", "draw it again, or cut it into pieces"


RULES: tuple[Rule, ...] = (
    rule("DET150", "warning", box_past_edge),
    rule("DET151", "warning", subpixel_box),
    rule("DET152", "warning", duplicate_box),
    rule("DET153", "warning", near_duplicate_box),
    rule("DET154", "warning", box_two_classes),
    rule("DET155", "info", box_covers_image),
    rule("DET156", "warning", extreme_aspect),
)


def box_faults(labels: Labels, imgsz: int) -> Iterator[Fault]:
    """Every box that one of the rules is about.

    Args:
        labels: the boxes that no error stands at.
        imgsz: the longer side of the network's input, pixels.
    """
    for rows in whole_images(labels.image, CHUNK):
        yield from _by_row(labels, imgsz, rows)
        own = part(labels, rows)
        first = first_equal(own.image, own.cls, own.boxes)
        for row in np.flatnonzero(first != np.arange(len(first))).tolist():
            yield _fault("duplicate-box", own, row, str(own.line[first[row]]))
        for earlier, row in close_pairs(own):
            kind = "near-duplicate-box" if own.cls[earlier] == own.cls[row] else "box-two-classes"
            yield _fault(kind, own, row, str(own.line[earlier]))


def _by_row(labels: Labels, imgsz: int, rows: slice) -> Iterator[Fault]:
    """Rules about one box alone."""
    cx, cy, w, h = np.ascontiguousarray(labels.boxes[rows].T).astype(np.float64)
    over = np.maximum(_beyond(cx, w), _beyond(cy, h))
    across, down = _letterboxed(labels, imgsz, rows)
    width, height = w * across, h * down
    small, large = np.minimum(width, height), np.maximum(width, height)
    for row in np.flatnonzero(over > EDGE).tolist():
        yield _fault("box-past-edge", labels, rows.start + row, f"{100 * over[row]:.3g} %")
    for row in np.flatnonzero(small < 1).tolist():
        yield _fault("subpixel-box", labels, rows.start + row, f"{width[row]:.2g} x {height[row]:.2g} px")
    for row in np.flatnonzero((large >= ASPECT * small) & (small >= 1)).tolist():
        yield _fault("extreme-aspect", labels, rows.start + row, f"{large[row] / small[row]:.0f}")
    for row in np.flatnonzero((w >= COVERS) & (h >= COVERS)).tolist():
        yield _fault("box-covers-image", labels, rows.start + row, "")


def _beyond(centre: NDArray[np.float64], side: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far boxes reach past the nearer edge of the image; below 0 within it."""
    half = side / 2
    return np.maximum(half - centre, centre + half - 1)


def _letterboxed(labels: Labels, imgsz: int, rows: slice) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(n,) pixels that the whole width of each box's image takes at the network's input, and its height; square where sizes are unknown."""
    image = labels.image[rows]
    width, height = (side[image].astype(np.float64) for side in (labels.images.width, labels.images.height))
    unknown = (width <= 0) | (height <= 0)
    width[unknown] = height[unknown] = 1.0
    scale = imgsz / np.maximum(width, height)
    return width * scale, height * scale


def _fault(kind: str, labels: Labels, row: int, detail: str) -> Fault:
    path = labels.images.label_path[labels.image[row]]
    token = f"{labels.cls[row]} " + " ".join(f"{value:.6g}" for value in labels.boxes[row])
    return Fault(kind, path, int(labels.line[row]), 1, token, detail)
