"""Rules about files and folders of a data set: what could not be read and why."""

from __future__ import annotations

from detloss_cli.checks.quoted import quoted
from detloss_cli.checks.rule import Rule, Words, rule
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.limits import raised


def _why(fault: Fault) -> str:
    return f": {fault.detail}" if fault.detail else ""


def not_a_file(fault: Fault) -> Words:
    """Where a label file belongs there is something else.

    A folder, a FIFO or a device. Loaders test with os.path.isfile(), which says no, and the image silently becomes background.
    """
    return f"not a regular file{_why(fault)}; the image is skipped", "put the label file in its place"


def unreadable_file(fault: Fault) -> Words:
    """A file cannot be opened.

    Its image is left out and counted as skipped; what it holds is unknown, so nothing about the set is certain.
    """
    return f"cannot read the file{_why(fault)}; the image is skipped", "check its permissions"


def unreadable_folder(fault: Fault) -> Words:
    """A folder cannot be listed; what it holds was not looked at.

    Trainers stop, or take it for empty: images below it are not trained, images of its labels become background.
    """
    return f"cannot read the folder{_why(fault)}", "check its permissions"


def changed_during_scan(fault: Fault) -> Words:
    """A file changed or vanished while it was read.

    What was read may be neither its old nor its new content, so its image is counted as skipped.
    """
    return f"changed during the scan{_why(fault)}; the image is skipped", "run again when nothing writes to the data set"


def label_too_big(fault: Fault) -> Words:
    """A label file is larger than any label file; it was not read.

    16 MiB hold 400,000 boxes. The exit code is 4: what the file holds is unknown. `--limit label-bytes=64MiB` moves the limit.
    """
    raising = raised("label_bytes", int(fault.detail))
    return f"{int(fault.detail):,} bytes, not read; the image is skipped", f"look whether this is a label file at all, or {raising}"


def too_many_rows(fault: Fault) -> Words:
    """A label file has more rows than are read; the rest was left out.

    The limit is 100,000, unless `--limit rows=N` says another. The exit code is 4, as rows were left unread; loaders read them all, and the
    loss of that image needs gigabytes.
    """
    return (
        f"more than {int(fault.detail):,} rows; the rest was not read",
        f"look whether rows repeat, or {raised('rows', 2 * int(fault.detail))}",
    )


def too_many_files(fault: Fault) -> Words:
    """The folder holds more files than are listed; the rest was left out.

    The limit is ten million, unless `--limit files=N` says another. The exit code is 4, as files were left unread.
    """
    raising = raised("files", 2 * int(fault.detail))
    return f"more than {int(fault.detail):,} files; the rest was not listed", f"check one part at a time, or {raising}"


def folder_too_deep(fault: Fault) -> Words:
    """Folders are nested deeper than is followed.

    The limit is 1,000, unless `--limit depth=N` says another. The exit code is 4, as files were left unread. A copy into itself makes
    such a chain.
    """
    raising = raised("depth", 2 * int(fault.detail))
    words = f"more than {int(fault.detail):,} folders deep; not looked at"
    return words, f"look whether a folder was copied into itself, or {raising}"


def symlink_loop(fault: Fault) -> Words:
    """A link leads back to a folder above it.

    A loader that follows links walks it until the path gets too long. It is not followed.
    """
    where = f"back to a folder above it ({fault.token})" if fault.token else "to itself"
    return f"the link leads {where}; not followed", "delete the link"


def symlink_folder(fault: Fault) -> Words:
    """A link to a folder inside the data set is not followed.

    Trainers follow it and train on what it holds; name the folder itself in data.yaml to have it read.
    """
    return f"link to the folder {quoted(fault.token)}; not followed", "name that folder in data.yaml"


def symlink(fault: Fault) -> Words:
    """A list or label file is a link that changed while it was read.

    Where it leads was checked, and then it led elsewhere; nothing of it is shown.
    """
    return "a link that changed during the scan; not read", "run again"


def dangling_link(fault: Fault) -> Words:
    """A link leads nowhere.

    Loaders take an image with such a label for background.
    """
    return f"the link leads nowhere{_why(fault)}" + (f" ({fault.token})" if fault.token else ""), "restore what it points at"


def leaves_root(fault: Fault) -> Words:
    """A path leads out of the data set's root.

    It is not read: a data set from elsewhere can point at any file of this machine.
    """
    return f"leads out of the data set's root {fault.detail}; not read", "--allow-outside if that is what you want"


def list_too_big(fault: Fault) -> Words:
    """A list file is larger than is read.

    None of its pictures was looked at. A gigabyte holds ten million paths; `--limit list-bytes=4GiB` reads more.
    """
    return f"{int(fault.detail):,} bytes, not read", f"check one part at a time, or {raised('list_bytes', int(fault.detail))}"


def list_line(fault: Fault) -> Words:
    """A line of a list file names no picture.

    Trainers take lines with the extension of a picture and pass over the rest without a word.
    """
    return f"{quoted(fault.token)} is no picture", "one path of a picture a line"


def list_line_outside(fault: Fault) -> Words:
    """A line of a list file leads out of the data set's root; it is not read.

    Trainers follow it. A list from elsewhere can point at any file of this machine, so it takes an option to be followed here.
    """
    return f"{quoted(fault.token)} leads out of the root {fault.detail}; not read", "--allow-outside if that is what you want"


def listed_image_missing(fault: Fault) -> Words:
    """A line of a list file names a picture that is not there.

    Trainers drop it with a warning or stop.
    """
    hint = "a path of Windows: write it with /, below the root" if "\\" in fault.token else "write the list again from what there is"
    return f"no picture {quoted(fault.token)}", hint


def listed_twice(fault: Fault) -> Words:
    """A picture is listed twice in one split.

    Trainers read it twice, so it weighs double; here it is counted once.
    """
    return f"{quoted(fault.token)} is listed twice", "delete one of the lines"


def image_unreadable(fault: Fault) -> Words:
    """A picture has no header that can be read, so its size is unknown.

    yolov5, yolov7 and ultralytics drop it with its boxes and print a warning. An empty file is a broken download; three lines of text that
    begin with `version` are a pointer of Git LFS, and `git lfs pull` fetches the picture.
    """
    hint = "git lfs pull" if "Git LFS" in fault.detail else "restore, convert or delete the picture"
    return f"cannot read the picture's header{_why(fault)}", hint


def image_too_small(fault: Fault) -> Words:
    """A picture has a side of less than 10 pixels.

    yolov5, yolov7 and ultralytics drop it with its boxes; a thumbnail or a broken export.
    """
    return f"{fault.token} pixels, less than {fault.detail} a side", "take it out of the set"


def image_size_unlisted(fault: Fault) -> Words:
    """The file of image sizes does not name every picture; the others are taken for square.

    A box then has other pixels at the network's input than in training, and other anchors match it.
    """
    return f"no size for {fault.detail} pictures, such as {quoted(fault.token)}: taken for square", "list them, or leave the file out"


RULES: tuple[Rule, ...] = (
    rule("DET201", "error", not_a_file),
    rule("DET202", "error", unreadable_file),
    rule("DET203", "error", unreadable_folder),
    rule("DET204", "error", changed_during_scan),
    rule("DET205", "error", label_too_big),
    rule("DET206", "error", too_many_rows),
    rule("DET207", "error", too_many_files),
    rule("DET208", "error", folder_too_deep),
    rule("DET209", "warning", symlink_loop),
    rule("DET210", "warning", symlink_folder),
    rule("DET211", "error", symlink),
    rule("DET212", "error", dangling_link),
    rule("DET213", "error", leaves_root),
    rule("DET214", "error", list_too_big),
    rule("DET215", "error", list_line),
    rule("DET216", "error", list_line_outside),
    rule("DET217", "error", listed_image_missing),
    rule("DET218", "warning", listed_twice),
    rule("DET219", "error", image_unreadable),
    rule("DET220", "warning", image_size_unlisted),
    rule("DET221", "warning", image_too_small),
)
