"""Rules about annotation files that hold all pictures: COCO JSON and keras-yolo3 lines."""

from __future__ import annotations

from detloss_cli.checks.rule import Rule, Words, rule
from detloss_cli.inputs.fault import Fault


def annotation_syntax(fault: Fault) -> Words:
    """The annotation file is not JSON, or not an object.

    Nothing of it was read. A download that was cut short ends in the middle.
    """
    return f"not an annotation file: {fault.detail}", "export or download it again"


def annotation_key(fault: Fault) -> Words:
    """A part that an annotation file needs is missing or of another form.

    COCO files hold lists called images, annotations and categories, each entry of the first and the last with a whole number as id.
    """
    return fault.token, "compare with an instances.json of COCO"


def annotation_duplicate_id(fault: Fault) -> Words:
    """An id is used twice.

    Tools build tables by id, and the later entry replaces the earlier one without a word.
    """
    return f"{fault.detail} id {fault.token} is used twice", "number them again"


def annotation_no_image(fault: Fault) -> Words:
    """An annotation belongs to a picture that the file does not list.

    Usually the pictures were split and the annotations were not.
    """
    return f"{fault.token} is of image {fault.detail}, which is not listed or has no size", "delete it, or list the image"


def annotation_no_category(fault: Fault) -> Words:
    """An annotation has a category that the file does not list.

    A filter took the category out and left its boxes. Converters stop at it; here the box is left out.
    """
    return f"{fault.token} has category {fault.detail}, which is not listed", "list the category"


def annotation_box(fault: Fault) -> Words:
    """A box is not written as the format wants it.

    keras-yolo3 stops at such a token; COCO tools stop or leave the annotation out.
    """
    return f"{fault.token}: {fault.detail}", "export it again"


def annotation_crowd(fault: Fault) -> Words:
    """An annotation marks a crowd (`iscrowd`).

    Converters to YOLO labels leave it out, and so does detloss: its region then trains as background.
    """
    return f"{fault.token} marks a crowd; left out", None


def annotation_size(fault: Fault) -> Words:
    """A picture of an annotation file has no size.

    Boxes are in pixels, so their place in the picture is unknown, and all of them are left out.
    """
    return f"{fault.token}: {fault.detail} is no size in pixels, or the file name is missing", "write width and height"


def category_renumbered(fault: Fault) -> Words:
    """Category ids are not 0, 1, 2 and so on.

    They become class ids by their order, as converters do; COCO itself has 80 categories with ids from 1 to 90.
    """
    last = int(fault.detail) - 1
    if not last:
        return f"the category with id {fault.token} becomes class 0", None
    return f"{last + 1} categories with ids {fault.token} become classes 0 to {last}", None


def annotation_converted(fault: Fault) -> Words:
    """The annotations are of a format that another program turned into COCO.

    Findings name the annotation by its number in the conversion; lines of the original are not known.
    """
    return f"read through {fault.token}; findings have no lines", None


RULES: tuple[Rule, ...] = (
    rule("DET270", "error", annotation_syntax),
    rule("DET271", "error", annotation_key),
    rule("DET272", "warning", annotation_duplicate_id),
    rule("DET273", "error", annotation_no_image),
    rule("DET274", "error", annotation_no_category),
    rule("DET275", "error", annotation_box),
    rule("DET276", "info", annotation_crowd),
    rule("DET277", "error", annotation_size),
    rule("DET278", "info", category_renumbered),
    rule("DET279", "info", annotation_converted),
)
