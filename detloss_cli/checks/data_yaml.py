"""Rules about data.yaml and its like: names, number of classes, paths, downloads."""

from __future__ import annotations

from detloss_cli.checks.quoted import quoted, shortened
from detloss_cli.checks.rule import Rule, Words, rule
from detloss_cli.inputs.fault import Fault


def data_key_missing(fault: Fault) -> Words:
    """A key that trainers insist on is missing.

    `train`, `val` and `names` (or at least `nc`) are needed; a trainer stops before the first epoch.
    """
    what = {"names": "neither `names` nor `nc`", "valid": "`valid`"}.get(fault.token, f"no `{fault.token}`")
    return f"{what} in the file", f"add `{fault.token}`"


def data_nc_names(fault: Fault) -> Words:
    """nc differs from the number of names.

    ultralytics and yolov7 stop; yolov5 7.0 takes the number of names and ignores nc. Class ids are not range-checked until it is repaired.
    """
    return f"nc is {fault.token}, but there are {fault.detail} names", f"delete nc or write nc: {fault.detail}"


def data_nc_value(fault: Fault) -> Words:
    """nc is not a whole number from 1 to 100,000.

    yolov7 and yolov5 before 7.0 build the head with it. Quotes make it text and `2.0` a float, and both stop there.
    """
    return f"nc is {fault.detail or repr(fault.token)}, not a whole number from 1 to 100,000", "write nc: 12"


def data_names_absent(fault: Fault) -> Words:
    """There is nc but no names.

    yolov5 before 7.0 and ultralytics number the classes, yolov5 7.0 stops.
    """
    return f"no names; {fault.detail} classes are called class_0, class_1, …", "add names: [a, b, …]"


def data_names_form(fault: Fault) -> Words:
    """names is neither a list nor a mapping from id to name, or it is empty or longer than 100,000.

    One string is read as its letters by some trainers, each a class.
    """
    return f"names holds {fault.detail}", "write names: [a, b] or 0: a below names:"


def data_names_key(fault: Fault) -> Words:
    """A key below names is no class id.

    Ids are whole numbers from 0, without quotes.
    """
    return f"{quoted(fault.token)} is no class id", "write 0: name, 1: name, …"


def data_names_gap(fault: Fault) -> Words:
    """Class ids in names are not 0, 1, 2 and so on.

    Trainers count the names: ids beyond their number end in an index error in the loss or in another class.
    """
    return f"class id {fault.token} where {fault.detail} was due", "number the names from 0 without a gap"


def data_name_not_text(fault: Fault) -> Words:
    """A class name is not text once YAML has read it.

    `no`, `yes`, `on`, `off` become True or False, `12:30` a number, `2020-01-02` a date, `010` the number 8.
    """
    return f"class name {quoted(fault.token)} is read as {fault.detail}", f'write "{fault.token}" with quotes'


def data_name_number(fault: Fault) -> Words:
    """A class name is a number.

    Fine for digits; some tools join names and want text.
    """
    return f"class name {fault.token} is a number", None


def data_name_control(fault: Fault) -> Words:
    """A class name is empty or holds characters that steer a terminal or the direction of text.

    It can hide a part of a log line or turn its direction. The name is printed with escapes here.
    """
    return ("empty class name" if fault.detail else f"class name {quoted(fault.token)} holds control characters"), "give it a plain name"


def data_name_twice(fault: Fault) -> Words:
    """Two classes have the same name.

    They are trained as two classes; a table by name adds them up or hides one.
    """
    return f"class name {quoted(fault.token)} belongs to ids {fault.detail}", "rename one, or merge the classes in the labels"


def data_download_script(fault: Fault) -> Words:
    """The file brings a script along.

    Some trainers run what stands under `download:` when a path is missing, as Python or through a shell. It is not run here.
    """
    return f"download: holds a script, not run: {quoted(fault.token)}", "read it before a trainer runs it, or delete it"


def data_download_url(fault: Fault) -> Words:
    """The file names an address to download from.

    Trainers fetch it when a path is missing; detloss uses no network.
    """
    return f"download: {fault.token}, not fetched", None


def data_path_outside(fault: Fault) -> Words:
    """A path leaves the root of the data set, by `..`, as an absolute path or through a link.

    It is not read: a data set from elsewhere could point at any file of this machine.
    """
    return (
        f"{shortened(fault.token)} leaves the root {fault.detail}, not read",
        "set path: to the folder that holds everything, or pass it as --root",
    )


def data_path_missing(fault: Fault) -> Words:
    """A path of train or val does not exist below the root.

    Most often `path:` starts somewhere else than its author thought: ultralytics takes it from the working folder, yolov5 from its own
    checkout. The choice that was made here stands in the report as `data.root`.
    """
    return f"{shortened(fault.token)} does not exist below the root", _instead(fault)


def data_images_missing(fault: Fault) -> Words:
    """The folder of images does not exist, that of their labels does.

    The labels are read; sizes are unknown, so pictures are taken for square. A training stops here.
    """
    return f"{shortened(fault.token)} does not exist, its labels in {fault.detail} are read", "restore the images, or pass --image-sizes"


def data_optional_missing(fault: Fault) -> Words:
    """A path of test does not exist below the root. Training does not need it.

    A `test:` of an export is often left over from the service that made it.
    """
    return f"{shortened(fault.token)} does not exist below the root", _instead(fault)


def data_path_form(fault: Fault) -> Words:
    """A path is neither a folder nor a .txt list, or no text at all.

    Trainers take a folder, a .txt list, or a list of either. `null`, a number or a mapping stops them.
    """
    return f"{quoted(fault.token)} is no path to read: {fault.detail}", "a folder of images, a .txt list, or a list of either"


def data_path_without_parent(fault: Fault) -> Words:
    """A leading `../` was left out.

    Web exports write `../train/images` beside a data.yaml that stands in the root itself; trainers try it without as well.
    """
    return f"{fault.token} is read as {fault.detail}", None


def data_root_missing(fault: Fault) -> Words:
    """The root of the data set does not exist.

    A relative `path:` is tried against the folder of the file, its parent, the working folder and --root, in that order.
    """
    return f"path: {fault.token} does not exist", _instead(fault)


def data_root_outside(fault: Fault) -> Words:
    """The root lies outside the folder of the file. Shown because trainers disagree on where a relative `path:` starts.

    ultralytics takes it from the working folder or its own settings, yolov5 from its checkout, most people from the folder of the file.
    """
    return f"the data set's root is {fault.detail}", None


def data_root_replaced(fault: Fault) -> Words:
    """`path:` does not exist on this machine, --root was taken instead.

    The file was written on another machine. Nothing in it has to be changed to look at it here.
    """
    return f"path: {fault.token} does not exist here, --root is used", None


def data_key_unknown(fault: Fault) -> Words:
    """A key that nobody reads looks like one that is missing.

    Keys count letter by letter: `name:` is not `names:`, and the trainer then stops for the one that it misses.
    """
    return f"nobody reads {quoted(fault.token)}", f"did you mean {fault.detail}?"


def _instead(fault: Fault) -> str:
    if fault.detail == "windows":
        return "a path of Windows: pass --root FOLDER"
    return f"did you mean {fault.detail}?" if fault.detail else "correct it, or pass --root FOLDER"


RULES: tuple[Rule, ...] = (
    rule("DET320", "error", data_key_missing),
    rule("DET321", "error", data_nc_names),
    rule("DET322", "error", data_nc_value),
    rule("DET323", "info", data_names_absent),
    rule("DET324", "error", data_names_form),
    rule("DET325", "error", data_names_key),
    rule("DET326", "error", data_names_gap),
    rule("DET327", "error", data_name_not_text),
    rule("DET328", "info", data_name_number),
    rule("DET329", "warning", data_name_control),
    rule("DET330", "warning", data_name_twice),
    rule("DET331", "error", data_download_script),
    rule("DET332", "info", data_download_url),
    rule("DET333", "error", data_path_outside),
    rule("DET334", "error", data_path_missing),
    rule("DET335", "warning", data_optional_missing),
    rule("DET336", "error", data_path_form),
    rule("DET337", "info", data_path_without_parent),
    rule("DET338", "error", data_root_missing),
    rule("DET339", "info", data_root_outside),
    rule("DET340", "info", data_root_replaced),
    rule("DET341", "warning", data_key_unknown),
    rule("DET342", "warning", data_images_missing),
)
