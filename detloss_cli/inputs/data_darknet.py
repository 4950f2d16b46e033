"""A darknet `.data` file: `key = value` lines that say where lists and names are."""

from __future__ import annotations

import os
from dataclasses import dataclass

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.data_names import Classes, numbered
from detloss_cli.inputs.data_paths import PathEntry, Place, find, resolve
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.limits import DEFAULT
from detloss_cli.inputs.small_file import read_lines

SPLIT_KEYS = {"train": "train", "valid": "val", "test": "test"}


@dataclass(frozen=True, slots=True)
class DarknetData:
    """What a `.data` file says, paths resolved. faults: of its lines and keys; those of paths are in `place`."""

    place: Place
    classes: Classes
    faults: tuple[Fault, ...]


def read_darknet(
    path: str, *, root: str | None = None, allow_outside: bool = False, classes: Classes | None = None, most: int = DEFAULT.names
) -> DarknetData:
    """Read a `.data` file. Relative paths are tried as in a data.yaml without `path:`. classes: instead of what the file says.

    Raises:
        DetlossError: it cannot be opened.
    """
    entries: dict[str, PathEntry] = {}
    faults: list[Fault] = []
    for number, line in enumerate(read_lines(path), 1):
        if not line or line.startswith("#"):
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals:
            faults.append(Fault("yaml-syntax", path, number, 1, line[:80], "expected key = value"))
        elif key in entries:
            faults.append(Fault("yaml-duplicate-key", path, number, 1, key, f"first in line {entries[key].line}"))
        else:
            entries[key] = PathEntry(value, number, len(line) - len(value) + 1)
    splits = {split: (entries[key],) for key, split in SPLIT_KEYS.items() if key in entries}
    faults.extend(Fault("data-key-missing", path, None, None, key, key) for key in ("train", "valid") if key not in entries)
    place = resolve(path, None, splits, root=root, allow_outside=allow_outside)
    classes = classes or _classes(path, entries, place.root, faults, allow_outside, most)
    return DarknetData(place, classes, tuple(faults))


def _classes(path: str, entries: dict[str, PathEntry], root: str, faults: list[Fault], allow_outside: bool, most: int) -> Classes:
    count = _count(path, entries.get("classes"), faults, most)
    entry = entries.get("names")
    if entry is None:
        if count is None:
            faults.append(Fault("data-key-missing", path, None, None, "names", "names"))
            return Classes((), None, "inferred")
        faults.append(Fault("data-names-absent", path, entries["classes"].line, None, "", str(count)))
        return numbered(count, "nc")
    found = find(root, entry.text, allow_outside, files=(".names", ".txt"))
    if found.path is None or not os.path.isfile(found.path):
        faults.append(Fault(found.kind or "data-path-form", path, entry.line, entry.column, entry.text, found.detail))
        return Classes((), None, "inferred")
    try:
        names = tuple(read_lines(found.path, follow=False))
    except DetlossError as error:
        faults.append(Fault("data-path-form", path, entry.line, entry.column, entry.text, error.message))
        return Classes((), None, "inferred")
    if count is not None and count != len(names):
        line, column = entries["classes"].line, entries["classes"].column
        faults.append(Fault("data-nc-names", path, line, column, entries["classes"].text, str(len(names))))
        return Classes(names, None, "names")
    return Classes(names, len(names), "names")


def _count(path: str, entry: PathEntry | None, faults: list[Fault], most: int) -> int | None:
    if entry is None:
        return None
    if entry.text.isascii() and entry.text.isdigit() and 1 <= int(entry.text[:7]) <= most:
        return int(entry.text)
    faults.append(Fault("data-nc-value", path, entry.line, entry.column, entry.text))
    return None
