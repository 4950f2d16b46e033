"""What lies below a folder: pictures and text files by folder, links and special files named and left alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.limits import Limits

# What the loaders take for pictures, by extension.
PICTURES = frozenset(["avif", "bmp", "dng", "heic", "heif", "jp2", "jpeg", "jpeg2000", "jpg", "mpo", "pfm", "png", "tif", "tiff", "webp"])


@dataclass(slots=True)
class Folder:
    """The files of one folder. pictures: sorted by name. texts: in no order. caches: label caches of trainers."""

    pictures: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    caches: list[str] = field(default_factory=list)

    def __reduce__(self) -> tuple[Any, ...]:
        """Between processes the names of a kind go as one text."""
        return _unpacked, tuple("\0".join(names) for names in (self.pictures, self.texts, self.caches))


def _unpacked(*kinds: str) -> Folder:
    return Folder(*(names.split("\0") if names else [] for names in kinds))


@dataclass(slots=True)
class Scan:
    """Everything below one folder. folders: path -> its files, in the order of their paths. faults: what was not followed or read."""

    folders: dict[str, Folder] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    files: int = 0


Scanner = Callable[[str, Limits], Scan]


def scan(top: str, limits: Limits) -> Scan:
    """Walk a folder. `top` may be a link; below it none is followed."""
    found = Scan()
    seen: set[tuple[int, int]] = set()
    todo = [(top, 0)]
    while todo:
        path, depth = todo.pop()
        if depth > limits.depth:
            found.faults.append(Fault("folder-too-deep", path, None, None, "", str(limits.depth)))
            continue
        below = _one(path, found, seen)
        todo.extend((f"{path}/{name}", depth + 1) for name in sorted(below, reverse=True))
        if found.files > limits.files:
            found.faults.append(Fault("too-many-files", top, None, None, "", str(limits.files)))
            break
    found.folders = dict(sorted(found.folders.items()))
    return found


def _one(path: str, found: Scan, seen: set[tuple[int, int]]) -> list[str]:
    """Read one folder into `found`; returns the names of the folders in it."""
    folder, below = Folder(), list[str]()
    try:
        status = os.stat(path)
        if (status.st_dev, status.st_ino) in seen:
            return []
        seen.add((status.st_dev, status.st_ino))
        others = list[os.DirEntry[str]]()
        with os.scandir(path) as entries:
            names = [entry.name for entry in entries if entry.is_file(follow_symlinks=False) or others.append(entry)]  # type: ignore[func-returns-value]
        _files(names, folder)
        for entry in others:
            name = entry.name
            if entry.is_symlink():
                _link(path, entry, folder, found)
            elif entry.is_dir(follow_symlinks=False):
                below.append(name)
                if name.endswith(".txt"):
                    folder.texts.append(name)  # where a label file belongs: opening it says what it is
            else:
                _files([name], folder)
    except OSError as error:
        found.faults.append(Fault("unreadable-folder", path, None, None, "", error.strerror or ""))
    folder.pictures.sort()
    folder.caches.sort()
    found.files += len(folder.pictures) + len(folder.texts)
    if folder.pictures or folder.texts or folder.caches:
        found.folders[path] = folder
    return below


def _files(names: list[str], folder: Folder) -> None:
    """Sort names by what they end in. Most folders hold files of one kind, and then nothing is done name by name."""
    if not names:
        return
    end = names[0].rpartition(".")[2]
    alike = "\0".join([*names, ""]).count(f".{end}\0") == len(names)
    ends = {end} if alike else {name.rpartition(".")[2] for name in names}
    kinds = {end: _kind(end) for end in ends}
    for kind, into in (("picture", folder.pictures), ("text", folder.texts), ("cache", folder.caches)):
        wanted = {end for end in ends if kinds[end] == kind}
        if wanted == ends:
            into.extend(names)
        elif wanted:
            into.extend(name for name in names if name.rpartition(".")[2] in wanted)


def _kind(end: str) -> str:
    if end == "cache":
        return "cache"
    lower = end.lower()
    return "picture" if lower in PICTURES else "text" if lower == "txt" else ""


def _link(path: str, entry: os.DirEntry[str], folder: Folder, found: Scan) -> None:
    """A link to a file counts as that file, whoever reads it decides; one to a folder is not walked."""
    if entry.name.lower().endswith(".txt"):
        folder.texts.append(entry.name)
        return
    full = f"{path}/{entry.name}"
    try:
        if not entry.is_dir():
            if not os.path.exists(full):
                found.faults.append(Fault("dangling-link", full, None, None, os.readlink(full)))
            _files([entry.name], folder)
            return
        target, here = os.path.realpath(full), os.path.realpath(path)
        kind = "symlink-loop" if Path(here).is_relative_to(target) else "symlink-folder"
        found.faults.append(Fault(kind, full, None, None, os.readlink(full)))
    except OSError:
        # a link to itself: the system gives up on it
        found.faults.append(Fault("symlink-loop", full, None, None, ""))
