"""Labels at the network input: every picture alone, or each in the shape of its batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from detloss_cli.geometry.letterbox import Geometry, Rounding, to_network
from detloss_cli.inputs.head import Head
from detloss_cli.inputs.labels import Labels
from detloss_cli.measure.parts import Part

if TYPE_CHECKING:
    from detloss_cli.families.interface import Family

View = tuple[Head, Labels, NDArray[np.float32]]  # some pictures, and (N, 4) boxes in 0..1 of the network input of that head


def at_network(
    labels: Labels, family: Family, imgsz: tuple[int, int], geometry: Geometry, frame: tuple[int, int] | None = None
) -> NDArray[np.float32]:
    """(N, 4) boxes in 0..1 of the network input. Arguments as `to_network`; a picture of unknown size is taken for square."""
    images = labels.images
    width, height = (np.where(images.width > 0, side, 1)[labels.image] for side in (images.width, images.height))
    rounding: Rounding = getattr(family, "LETTERBOX", "floor")
    return to_network(labels.boxes, width, height, imgsz, geometry, rounding, frame)


def views_of(labels: Labels, family: Family, imgsz: tuple[int, int], geometry: Geometry, parts: Sequence[Part]) -> list[View]:
    """Each part. imgsz: the full input size, for which pictures are made as large as they are."""
    each = [(part.head, part.of(labels)) for part in parts]
    return [(head, own, at_network(own, family, imgsz, geometry, head.imgsz)) for head, own in each]


def geometry_of(asked: str | None, known: NDArray[np.bool_], boxed: NDArray[np.bool_]) -> tuple[Geometry, str]:
    """How boxes get to the network input. asked: `--geometry`. known, boxed: (M,) with a known size, and with boxes that want it."""
    guessed = int((boxed & ~known).sum())
    if asked in ("stretch", "square"):
        return asked, "--geometry"  # type: ignore[return-value]
    if known.any() and not guessed:
        return "letterbox", "--geometry" if asked else "default"
    if not known.any():
        return "square", "no picture has a known size, so all are taken for square"
    return "letterbox", f"{guessed} picture{'s' * (guessed != 1)} of unknown size taken for square"
