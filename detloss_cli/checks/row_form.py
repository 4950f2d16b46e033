"""Rules about the columns of a row: how many there are and which kind of annotation they are."""

from __future__ import annotations

from detloss_cli.checks.quoted import quoted
from detloss_cli.checks.rule import Rule, Words, rule
from detloss_cli.inputs.fault import Fault


def column_count(fault: Fault) -> Words:
    """A row has neither five columns nor those of a polygon.

    Four lack the class, six are predictions saved with their confidence. One such row costs the image in every loader.
    """
    return f"{fault.detail}, expected 5: class cx cy w h", (
        "export labels, not predictions" if "confidence" in fault.detail else "a polygon has a class and x y pairs: an odd count from 7"
    )


def polygon_row(fault: Fault) -> Words:
    """A row is a polygon where a box is expected.

    yolov5 since 5.0, yolov7 and ultralytics take the rectangle around it; yolov3-spp stops. Triangles (7 columns) are read by yolov5
    6.2 and later and by ultralytics only.
    """
    return f"polygon of {fault.detail} where a box is expected; its rectangle is used", "export boxes if this is a detection data set"


def corner_row(fault: Fault) -> Words:
    """A row has nine columns: four corners.

    An oriented box and a polygon of four points look the same. Detection loaders take the upright rectangle around them.
    """
    return (
        "nine columns, an oriented box or a polygon of 4 points; its upright rectangle is used",
        "export boxes for a detector of upright boxes",
    )


def pose_row(fault: Fault) -> Words:
    """A row is a box with key points.

    With an odd number of columns detection loaders read it as a polygon, visibilities included, and get another box.
    """
    return f"{fault.detail}: a pose row, not a box", "export boxes, or train a pose model"


def dota_row(fault: Fault) -> Words:
    """A row is written as DOTA does: eight corner values, then the class.

    No detection loader reads it: it stops at the name, and the image is lost. Files of the DOTA set also begin with two header lines.
    """
    return f"{fault.detail} {quoted(fault.token)}: a DOTA row", "convert to: class cx cy w h"


def mixed_rows(fault: Fault) -> Words:
    """A file mixes box rows and polygon rows.

    yolov5 since 5.0 and yolov7 read the box rows of such a file as two points, silently another box; ultralytics drops the image. Rows
    of the other form than the first one are in error.
    """
    return f"the file mixes {fault.detail}", "export the file again in one form"


RULES: tuple[Rule, ...] = (
    rule("DET120", "error", column_count),
    rule("DET121", "warning", polygon_row),
    rule("DET122", "warning", corner_row),
    rule("DET123", "error", pose_row),
    rule("DET124", "error", dota_row),
    rule("DET125", "error", mixed_rows),
)
