"""Single label files and pictures, as a commit hook names them: each with its partner, nothing else of the data set."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

from detloss_cli.inputs.data_names import Classes, from_option
from detloss_cli.inputs.dataspec import DataSpec
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.limits import DEFAULT
from detloss_cli.inputs.pairing import Paired, label_folder
from detloss_cli.inputs.scan import PICTURES

SPLIT = "files"
HEAD = 64 << 10


def is_single(path: str) -> bool:
    """True for a picture or a label file; False for what names a data set: a yaml, a folder, a list, annotations.

    A `.txt` whose first filled line ends like a picture, or like keras-yolo3's boxes, is a list. Any other one is a label file.
    """
    suffix = path.rpartition(".")[2].lower()
    if suffix in PICTURES:
        return True
    if suffix != "txt" or not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        words = file.read(HEAD).lstrip(b"\xef\xbb\xbf \t\r\n").split(b"\n", 1)[0].split()
    last = words[-1].decode("utf-8", "replace") if words else ""
    return last.rpartition(".")[2].lower() not in PICTURES and last.count(",") != 4


def files_of(spec: DataSpec, files: Sequence[str]) -> DataSpec:
    """The data set with nothing in it but some files: its root and its classes stay."""
    return replace(spec, kind="files", splits={SPLIT: tuple(dict.fromkeys(os.path.abspath(file) for file in files))})


def spec_of_files(files: Sequence[str], names: str | None, most: int = DEFAULT.names) -> DataSpec:
    """Files without a data set around them; the folder that holds them all is the root.

    Args:
        names: `--names`, None if the labels have to say how many classes there are.
    """
    classes = from_option(names, most) if names is not None else Classes((), None, "inferred")
    whole = [os.path.realpath(file) for file in files]
    root = os.path.commonpath([os.path.dirname(file) for file in whole]) if whole else os.getcwd()
    return files_of(DataSpec(files[0] if files else ".", root, {}, classes.names, classes.num_classes, classes.source, "files"), files)


def pair_files(files: Sequence[str]) -> Paired:
    """Each picture with its label and each label with its picture, once, whichever of them was named."""
    paired = Paired()
    folders: dict[str, dict[str, str]] = {}
    seen: set[str] = set()
    for file in files:
        folder, _, name = file.rpartition(os.sep)
        if name.rpartition(".")[2].lower() in PICTURES:
            picture, label = file, f"{label_folder(folder)}/{name.rpartition('.')[0]}.txt"
            if not os.path.lexists(label):
                paired.faults.append(Fault("image-without-label", picture, None, None, name, label))
                label = ""
        else:
            home = _picture_folder(folder)
            stems = folders.setdefault(home, _stems(home))
            found = stems.get(name.rpartition(".")[0])
            if found is None and stems:
                paired.faults.append(Fault("label-without-image", file, None, None, name))
            picture, label = f"{home}/{found}" if found else file, file
        if picture not in seen:
            seen.add(picture)
            paired.pictures.append(picture)
            paired.labels.append(label)
    return paired


def _picture_folder(folder: str) -> str:
    """The folder that holds the pictures of the labels in `folder`."""
    head, found, tail = f"{folder}/".rpartition("/labels/")
    beside = f"{head}/images/{tail}".rstrip("/")
    return beside if found and os.path.isdir(beside) else folder


def _stems(folder: str) -> dict[str, str]:
    """Stem -> name of each picture of a folder."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return {}
    return {name.rpartition(".")[0]: name for name in names if name.rpartition(".")[2].lower() in PICTURES}
