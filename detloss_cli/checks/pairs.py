"""Rules about images and labels that do not meet, and label files that say nothing."""

from __future__ import annotations

from detloss_cli.checks.quoted import quoted
from detloss_cli.checks.rule import Rule, Words, rule
from detloss_cli.inputs.fault import Fault


def image_without_label(fault: Fault) -> Words:
    """An image has no label file.

    It trains as background. For an image without objects put an empty label file beside it: that says it on purpose.
    """
    return "no label file: trains as background", "add an empty label file if it shows nothing"


def label_without_image(fault: Fault) -> Words:
    """A label file has no image: it is never read.

    The image was deleted, renamed, or has an extension that no trainer takes for a picture.
    """
    return "no image has this name; the file is never read", "restore the image or delete the label"


def label_case_differs(fault: Fault) -> Words:
    """The names of a label file and its image differ in case only, or in how an accented letter is put together.

    Where case counts, as on Linux, the image trains as background; elsewhere it works, until the data set moves. A Mac writes `é` as two
    characters, most other systems as one.
    """
    how = "case" if fault.detail.casefold() == fault.token.casefold() else "the Unicode form of a letter"
    return f"its image wants {quoted(fault.detail)}: the names differ in {how} only", f"rename it to {quoted(fault.detail)}"


def same_stem(fault: Fault) -> Words:
    """Two images of one folder differ in their extension only, and share one label file.

    Both train with the same boxes, which fit one of them.
    """
    return f"shares its label file with {quoted(fault.detail)}", "rename one of them, and give it its own labels"


def whitespace_only_file(fault: Fault) -> Words:
    """A label file holds blanks only.

    Read as background. An empty file says the same without the doubt whether something was lost.
    """
    return "nothing but blanks: background", None


def not_a_label(fault: Fault) -> Words:
    """A text file among the labels is none: a list of classes, a read-me. It is left out.

    Trainers look labels up by the names of the pictures and never open it.
    """
    return f"{quoted(fault.token)} is no label file; left out", None


def label_folder_unread(fault: Fault) -> Words:
    """A folder holds label files, and no picture leads to any of them.

    Loaders look where the last `/images/` of a picture's path becomes `/labels/`, else beside the picture. A folder of another name, or
    labels beside pictures in a folder called images, is never read.
    """
    return f"{fault.token} label file" + ("s" if fault.token != "1" else "") + " that no picture leads to; not read", (
        "move them where the pictures are looked up, or delete them"
    )


def no_images(fault: Fault) -> Words:
    """There is no image and no label in any folder or list that was read.

    Pictures are known by their extension. An unpacked archive often has one folder more than data.yaml says.
    """
    return "no images and no labels found" + (
        f" in {fault.detail}" if fault.detail else ""
    ), "check the paths, and the extensions of the pictures"


def no_labels(fault: Fault) -> Words:
    """No label file has a row.

    Trainers stop, or train on background alone. Usually the labels lie elsewhere: loaders look where the last `/images/` of a picture's
    path becomes `/labels/`.
    """
    return f"{fault.token} images and not one row in any label file", f"labels are looked for in {fault.detail}" if fault.detail else None


RULES: tuple[Rule, ...] = (
    rule("DET230", "warning", image_without_label),
    rule("DET231", "warning", label_without_image),
    rule("DET232", "warning", label_case_differs),
    rule("DET233", "warning", same_stem),
    rule("DET234", "info", whitespace_only_file),
    rule("DET235", "info", not_a_label),
    rule("DET236", "error", no_images),
    rule("DET237", "error", no_labels),
    rule("DET238", "warning", label_folder_unread),
)
