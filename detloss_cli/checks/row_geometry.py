"""Rules about the coordinates of a row: faults of a single row, seen when it is read."""

from __future__ import annotations

from detloss_cli.checks.rule import Rule, Words, rule
from detloss_cli.inputs.fault import Fault


def pixel_coordinates(fault: Fault) -> Words:
    """Coordinates are pixels, not fractions of the image.

    Loaders drop the image, yolov3-spp stops. Corner coordinates (x1 y1 x2 y2) and a class at the end come from other formats.
    """
    more = f"; {fault.detail}: is it x1 y1 x2 y2 class?" if fault.detail else ""
    return f"{fault.token} is a pixel, not a fraction of the image{more}", "divide x and w by the image width, y and h by its height"


def centre_outside(fault: Fault) -> Words:
    """The centre of a box lies outside the image.

    yolov5 and yolov7 drop the image above 1 or below 0; ultralytics lets -0.01 to 1.01 pass without a word.
    """
    return f"the centre {fault.detail} = {fault.token} is outside the image, 0 to 1", "clip the box to the image"


def size_above_one(fault: Fault) -> Words:
    """A box is wider or higher than the image.

    Loaders drop the image (ultralytics above 1.01).
    """
    return f"{fault.detail} {fault.token} is more than the whole image", "clip the box to the image"


def size_not_positive(fault: Fault) -> Words:
    """Width or height is zero or negative.

    A negative one costs the image. Zero passes every loader and is then matched by no anchor: the box trains nothing, without a word;
    keras-yolo3 takes the logarithm of it.
    """
    if fault.detail == "polygon":
        return "the polygon has no area: its points lie on one line", "delete the row"
    rounded = " in the 32 bits that trainers hold it in" if fault.token.strip("-+0.eE") else ""
    return (
        f"{fault.detail} {fault.token} is not above 0{rounded if not fault.token.startswith('-') else ''}",
        "delete the row or draw the box again",
    )


def point_outside(fault: Fault) -> Words:
    """A point of a polygon lies outside the image.

    The rectangle around it then leaves the image; loaders drop the image when its centre or size leaves 0 to 1.
    """
    others = int(fault.detail.partition(" ")[0]) - 1
    what = f"{fault.token} and {others} more lie" if others else f"{fault.token} lies"
    return f"{what} outside the image, 0 to 1", "clip the polygon to the image"


RULES: tuple[Rule, ...] = (
    rule("DET140", "error", pixel_coordinates),
    rule("DET141", "error", centre_outside),
    rule("DET142", "error", size_above_one),
    rule("DET143", "error", size_not_positive),
    rule("DET144", "error", point_outside),
)
