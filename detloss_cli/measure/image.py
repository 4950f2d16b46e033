"""One picture out of a run: its boxes, and the cells that each of them trains."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from detloss_cli.errors import DetlossError
from detloss_cli.facts import ImageFacts
from detloss_cli.geometry.letterbox import Geometry, Rounding, resized
from detloss_cli.inputs.labels import Images, Labels
from detloss_cli.inputs.nearest import nearest
from detloss_cli.targets.assignment import Assignment


def find_image(wanted: str, images: Images) -> int:
    """The picture that a user means: by path, by the end of its path, or by its name without the extension.

    Raises:
        DetlossError: none, or more than one.
    """
    whole = os.path.abspath(wanted)
    both = [(path, label) for path, label in zip(images.path, images.label_path, strict=True)]
    for same in (
        lambda path: path in (wanted, whole),
        lambda path: path.endswith(f"/{wanted}"),
        lambda path: os.path.splitext(os.path.basename(path))[0] == wanted,
    ):
        found = [index for index, pair in enumerate(both) if any(path and same(path) for path in pair)]
        if len(found) == 1:
            return found[0]
        if found:
            raise DetlossError(f"{len(found)} pictures are called so", where=f"--image {wanted}", hint="give the whole path")
    near = nearest(os.path.basename(wanted), (os.path.basename(path) for path in images.path))
    hint = f"did you mean {near}?" if near else "give a picture of the split that is read; --split names another"
    raise DetlossError("no such picture in this data", where=f"--image {wanted}", hint=hint)


def image_facts(
    index: int,
    labels: Labels,
    network: NDArray[np.float32],
    imgsz: tuple[int, int],
    geometry: Geometry,
    rounding: str,
    assigned: Iterable[tuple[int, int, Assignment]],
    reasons: Mapping[int, str],
    levels: int,
    full: tuple[int, int] | None = None,
) -> ImageFacts:
    """Facts of one picture.

    Args:
        index: of the picture. network: (N, 4) boxes of all labels in 0..1 of the network input. assigned: first image, first row and numpy
            assignment of each batch. reasons: text by box, of all labels. levels: L.
        full: the input size that the picture is made for, where that of its batch is another one.
    """
    own = np.flatnonzero(labels.image == index)
    cells = [_cells(assignment, index - image, row) for image, row, assignment in assigned]
    all_cells = np.concatenate(cells) if cells else np.zeros((0, 5), dtype=np.int64)
    place = np.searchsorted(own, all_cells[:, 4])
    all_cells[:, 4] = place
    positives = np.zeros((len(own), levels), dtype=np.int32)
    np.add.at(positives, (place, all_cells[:, 0]), 1)
    scale = np.asarray([imgsz[1], imgsz[0]] * 2, dtype=np.float32)
    boxes = network[own] * scale
    half = boxes[:, 2:] / np.float32(2)
    names = labels.names
    return ImageFacts(
        path=labels.images.path[index],
        label_path=labels.images.label_path[index],
        imgsz=imgsz,
        placed=_placed(
            int(labels.images.width[index]),
            int(labels.images.height[index]),
            imgsz,
            full or imgsz,
            geometry,
            "ceil" if rounding == "ceil" else "floor",
        ),
        boxes_xyxy=np.concatenate((boxes[:, :2] - half, boxes[:, :2] + half), axis=1),
        line=labels.line[own],
        name=tuple(names[c] if c < len(names) else f"class_{c}" for c in labels.cls[own].tolist()),
        positives=positives,
        text=tuple(reasons.get(box, "") for box in own.tolist()),
        cells=all_cells,
    )


def _cells(assignment: Assignment, image: int, first_row: int) -> NDArray[np.int64]:
    """(P, 5) level, row, column, anchor and row of the labels of one image of a batch."""
    here = assignment.image == image
    columns = (assignment.level, assignment.row, assignment.col, assignment.anchor, assignment.gt + first_row)
    return np.stack([column[here] for column in columns], axis=1).astype(np.int64)


def _placed(
    width: int, height: int, imgsz: tuple[int, int], full: tuple[int, int], geometry: Geometry, rounding: Rounding
) -> tuple[float, float, float, float]:
    """Where the picture lies in the network input, px."""
    side_h, side_w = imgsz
    if geometry == "stretch":
        return 0.0, 0.0, float(side_w), float(side_h)
    if geometry == "square" or width <= 0 or height <= 0:
        width = height = 1
    new_w, new_h = resized(np.asarray([width]), np.asarray([height]), full, rounding)
    left, top = (side_w - float(new_w[0])) / 2, (side_h - float(new_h[0])) / 2
    return left, top, left + float(new_w[0]), top + float(new_h[0])
