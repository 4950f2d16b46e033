"""DATA in whatever form it is given: data.yaml, folder, image list, COCO json, darknet `.data`, keras-yolo3 annotation lines."""

from __future__ import annotations

import os
import re
from dataclasses import replace

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.convert import PROGRAM, NotConverted, is_foreign, to_coco
from detloss_cli.inputs.data_darknet import read_darknet
from detloss_cli.inputs.data_folder import classes_of, root_of, splits_of, yaml_of
from detloss_cli.inputs.data_names import Classes, from_option, from_yaml
from detloss_cli.inputs.data_paths import PathEntry, Place, resolve
from detloss_cli.inputs.dataspec import DataKind, DataSpec
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.limits import DEFAULT, Limits
from detloss_cli.inputs.nearest import nearest, nearest_path
from detloss_cli.inputs.yaml_node import Node
from detloss_cli.inputs.yaml_text import read_yaml

SPLITS = ("train", "val", "test")
KNOWN = (*SPLITS, "path", "nc", "names", "validation", "download", "minival", "kpt_shape", "flip_idx", "channels", "roboflow")
KERAS_LINE = re.compile(rb"\S[^\n]* -?\d+,-?\d+,-?\d+,-?\d+,\d+\s*$")
FORMS = "a data.yaml, a folder, a .txt list, a COCO .json or a darknet .data"


def read_data(
    path: str, *, root: str | None = None, names: str | None = None, allow_outside: bool = False, limits: Limits = DEFAULT
) -> tuple[DataSpec, tuple[Fault, ...]]:
    """Where a data set is and what its classes are called. No picture and no label file is opened.

    Args:
        root: `--root`: tried last for a relative `path:`, and instead of one that does not exist here.
        names: `--names`: a number, a comma list or a file; instead of what the data set says.
        allow_outside: read splits that leave the root as well.

    Raises:
        DetlossError: path cannot be opened, or an option is no good.
    """
    if not os.path.exists(path):
        if os.path.islink(path):
            raise DetlossError("a link that leads nowhere", where=path, hint=f"it points at {os.readlink(path)}")
        found = nearest_path(path) if path and "\0" not in path else ""
        raise DetlossError("no such file or folder", where=path, hint=f"did you mean {os.path.relpath(found)}?" if found else FORMS)
    if root is not None and not os.path.isdir(root):
        raise DetlossError("no such folder", where=f"--root {root}", hint="the folder that holds images and labels")
    option = from_option(names, limits.names) if names is not None else None
    file = (yaml_of(path) or path) if os.path.isdir(path) else path
    suffix = os.path.splitext(file)[1].lower()
    if is_foreign(file):
        return _converted(path, os.path.realpath(file), root, option)
    if os.path.isdir(file):
        folder = os.path.realpath(file)
        place = Place(os.path.realpath(root) if root is not None else root_of(folder), splits_of(folder), ())
        classes = option or classes_of(file, limits.names)
        return _spec(path, "folder", place, classes if option or classes.names else classes_of(place.root, limits.names))
    if not os.path.isfile(file):
        raise DetlossError("neither a file nor a folder", where=path, hint=FORMS)
    if suffix in (".yaml", ".yml"):
        return _from_yaml(path, file, root, option, allow_outside, limits)
    if suffix == ".data":
        darknet = read_darknet(file, root=root, allow_outside=allow_outside, classes=option, most=limits.names)
        return _spec(path, "darknet", darknet.place, darknet.classes, darknet.faults)
    if suffix not in (".txt", ".json"):
        raise DetlossError(f"a {f'{suffix} file' if suffix else 'file without an extension'} is no data set", where=path, hint=FORMS)
    kind: DataKind = "coco" if suffix == ".json" else "keras" if _is_keras(file) else "list"
    file = os.path.realpath(file)
    place = Place(os.path.realpath(root or os.path.dirname(file)), {"train": (file,)}, ())
    return _spec(path, kind, place, option or Classes((), None, "inferred"))


def _spec(path: str, kind: DataKind, place: Place, classes: Classes, faults: tuple[Fault, ...] = ()) -> tuple[DataSpec, tuple[Fault, ...]]:
    spec = DataSpec(path, place.root, place.splits, classes.names, classes.num_classes, classes.source, kind)
    return spec, (*faults, *place.faults, *classes.faults)


def _converted(path: str, file: str, root: str | None, option: Classes | None) -> tuple[DataSpec, tuple[Fault, ...]]:
    """What another program makes COCO of."""
    home = os.path.realpath(root) if root is not None else file if os.path.isdir(file) else os.path.dirname(file)
    classes = option or Classes((), None, "inferred")
    try:
        converted = to_coco(file)
    except NotConverted as error:
        return _spec(path, "coco", Place(home, {}, ()), classes, (Fault("annotation-syntax", file, None, None, "", str(error)),))
    spec, faults = _spec(path, "coco", Place(home, {"train": (file,)}, ()), classes)
    return replace(spec, converted=converted), (*faults, Fault("annotation-converted", file, None, None, PROGRAM))


def _from_yaml(
    path: str, file: str, root: str | None, option: Classes | None, allow_outside: bool, limits: Limits
) -> tuple[DataSpec, tuple[Fault, ...]]:
    document = read_yaml(file, limits)
    faults = list(document.faults)
    nowhere = Place(os.path.realpath(os.path.dirname(file) or "."), {}, ())
    unknown = option or Classes((), None, "inferred")
    if document.root is None:
        if not faults:
            faults.extend(Fault("data-key-missing", file, None, None, key, "empty file") for key in ("train", "val", "names"))
        return _spec(path, "yaml", nowhere, unknown, tuple(faults))
    if document.root.kind != "mapping" or document.root.refused:
        if not document.root.refused:
            faults.append(Fault("yaml-not-a-mapping", file, document.root.line, document.root.column, "", document.root.kind))
        return _spec(path, "yaml", nowhere, unknown, tuple(faults))
    keys = {text: key for text, key, _ in document.root.keyed()}
    values = {text: value for text, _, value in document.root.keyed() if not value.missing}
    _odd_keys(file, keys, faults)
    _download(file, values.get("download"), faults)
    if "val" not in values and "validation" in values:
        values["val"] = values["validation"]
    splits = {split: _entries(file, values[split], faults) for split in SPLITS if split in values}
    faults.extend(Fault("data-key-missing", file, None, None, split, split) for split in SPLITS[:2] if split not in values)
    root_entry = _entries(file, values["path"], faults) if "path" in values else ()
    place = resolve(file, root_entry[0] if root_entry else None, splits, root=root, allow_outside=allow_outside)
    classes = option or from_yaml(file, values.get("nc"), values.get("names"), limits.names)
    return _spec(path, "yaml", place, classes, tuple(faults))


def _entries(file: str, node: Node, faults: list[Fault]) -> tuple[PathEntry, ...]:
    """A path or a list of paths."""
    found: list[PathEntry] = []
    for item in node.items if node.kind == "sequence" else (node,):
        if isinstance(item.value, str):
            found.append(PathEntry(item.value, item.line, item.column))
        elif not item.refused and not node.refused:
            shape = "a mapping" if item.kind == "mapping" else "a list" if item.kind == "sequence" else f"read as {item.value}"
            faults.append(Fault("data-path-form", file, item.line, item.column, item.text, shape))
    return tuple(found)


def _odd_keys(file: str, keys: dict[str, Node], faults: list[Fault]) -> None:
    """Keys that nobody reads and that look like one that is missing."""
    for text, key in keys.items():
        meant = "" if text in KNOWN else nearest(text, (known for known in KNOWN if known not in keys))
        if meant:
            faults.append(Fault("data-key-unknown", file, key.line, key.column, text, meant))


def _download(file: str, node: Node | None, faults: list[Fault]) -> None:
    if node is None or node.refused:
        return
    text = node.text.strip()
    if node.kind == "scalar" and re.fullmatch(r"https?://\S+", text):
        faults.append(Fault("data-download-url", file, node.line, node.column, text))
    else:
        faults.append(Fault("data-download-script", file, node.line, node.column, text.split("\n", 1)[0]))


def _is_keras(path: str) -> bool:
    """True if the first line that holds something is a path and boxes in pixels."""
    with open(path, "rb") as file:
        head = file.read(64 << 10).lstrip(b"\xef\xbb\xbf \t\r\n")
    return KERAS_LINE.match(head.split(b"\n", 1)[0]) is not None
