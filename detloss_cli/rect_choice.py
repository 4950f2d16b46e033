"""Whether batches are rectangular, and which pictures meet in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.labels import Labels
from detloss_cli.inputs.training import not_rectangular
from detloss_cli.measure.parts import Part, in_turn, reordered, shapes_of
from detloss_cli.resolve import Request, Setup

LEAST_STRIDE = 32  # that trainers round a batch's shape to, also where the coarsest level is finer


def why_not(request: Request, imgsz: tuple[int, int], geometry: str) -> Fault | None:
    """Why batches are not rectangular though they were asked for; None where they are.

    Args:
        imgsz: height and width of the network input, px. geometry: how pictures get there.

    Raises:
        DetlossError: `--rect` was typed beside an option that contradicts it. A run that says so gives way to the option.
    """
    odd, hint = "", ""
    if request.geometry in ("stretch", "square"):
        odd, hint = f"--geometry {request.geometry}", "pictures are letterboxed into the shape of their batch"
    elif request.preds is not None:
        odd, hint = "--preds", "its head outputs have one input shape, rectangular batches have several"
    elif imgsz[0] != imgsz[1]:
        odd, hint = f"--imgsz {imgsz[0]}x{imgsz[1]}", "rectangular batches take one number for the input size"
    if odd and "rect" not in request.origins:
        raise DetlossError("does not go with --rect", where=odd, hint=hint)
    if odd or geometry != "letterbox":
        why = f"{odd} does not go with it" if odd else "no picture has a known size"
        return not_rectangular(request.origins.get("rect", "--rect"), why)
    return None


def arranged(chosen: Setup, labels: Labels, size: int, num_classes: int) -> tuple[Labels, NDArray[np.int64], tuple[Part, ...]]:
    """The labels in the order of the training, the number that each picture had before, and the parts that share an input shape.

    Args:
        size: pictures a batch. num_classes: C.
    """
    order = in_turn(labels.images)
    labels = reordered(labels, order)
    stride = max(LEAST_STRIDE, *chosen.model.spec.strides)
    shapes = shapes_of(labels.images, size, chosen.imgsz[0], stride)
    return labels, order, tuple(Part(images, replace(chosen, imgsz=shape).head(num_classes)) for images, shape in shapes)
