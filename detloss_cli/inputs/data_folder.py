"""A folder given as DATA: its splits and names by what stands in it."""

from __future__ import annotations

import os

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.data_names import Classes
from detloss_cli.inputs.limits import DEFAULT
from detloss_cli.inputs.pairing import label_folder, picture_folder
from detloss_cli.inputs.small_file import read_lines

SPLITS = {"train": ("train",), "val": ("val", "valid", "validation", "validate"), "test": ("test",)}
KINDS = ("images", "labels")
YAML_NAMES = ("data.yaml", "data.yml", "dataset.yaml")
NAME_FILES = ("classes.txt", "obj.names", "labels/classes.txt", "images/classes.txt")


def root_of(folder: str) -> str:
    """The folder itself; for one below `images` or `labels` that has its twin beside it, the folder that holds both.

    Args:
        folder: absolute, links resolved.
    """
    for twin in (label_folder(folder), picture_folder(folder)):
        if twin != folder and os.path.isdir(twin):
            return os.path.commonpath([folder, twin])
    return folder


def yaml_of(folder: str) -> str | None:
    """The data.yaml of a folder, None if it has none."""
    return next((path for name in YAML_NAMES if os.path.isfile(path := os.path.join(folder, name))), None)


def splits_of(folder: str) -> dict[str, tuple[str, ...]]:
    """`images/train`, `labels/train` or `train/images`, `train/labels`, whichever exists first; else the folder itself as `train`."""
    for kind in KINDS:
        for pattern in (f"{kind}/{{}}", f"{{}}/{kind}"):
            found = {
                split: tuple(p for word in words if os.path.isdir(p := os.path.join(folder, pattern.format(word))))
                for split, words in SPLITS.items()
            }
            if any(found.values()):
                return {split: paths for split, paths in found.items() if paths}
    return {"train": (folder,)}


def classes_of(folder: str, most: int = DEFAULT.names) -> Classes:
    """Names from a `classes.txt` or `obj.names`; without one the labels have to say how many there are."""
    for name in NAME_FILES:
        path = os.path.join(folder, name)
        if not os.path.isfile(path):
            continue
        try:
            names = tuple(read_lines(path, follow=False))
        except DetlossError:
            continue
        if names and all(names) and len(names) <= most:
            return Classes(names, len(names), "names")
    return Classes((), None, "inferred")
