"""What a DATA argument points at, whatever its form: root, splits and class names. No file of the data set is read here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NamesSource = Literal["names", "nc", "inferred", "option"]
DataKind = Literal["yaml", "folder", "list", "coco", "darknet", "keras", "files"]


@dataclass(frozen=True, slots=True)
class DataSpec:
    """A data set before it is read.

    path: the argument as given. root: the folder that nothing may leave, absolute and resolved.
    splits: split -> image folders or `.txt` list files, absolute; for a bare folder the folder itself. An unresolved one is left out.
    names: by class id, empty if unknown. num_classes: C; None if unknown or in error, then class ids have no upper bound.
    names_source: where names came from; `nc` means numbered ones, `inferred` that the labels have to say.
    kind: the form of the argument. converted: the file to read in its place, "" if there is none.
    """

    path: str
    root: str
    splits: dict[str, tuple[str, ...]]
    names: tuple[str, ...]
    num_classes: int | None
    names_source: NamesSource
    kind: DataKind
    converted: str = ""
