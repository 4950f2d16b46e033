"""Where the paths of a data.yaml lead: the root first, then each split below it. Looks at the file system, opens nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.nearest import nearest_path
from detloss_cli.inputs.pairing import is_inside, label_folder

WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
REQUIRED = ("train", "val")


@dataclass(frozen=True, slots=True)
class PathEntry:
    """A path as it stands in a file."""

    text: str
    line: int | None
    column: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """A root and what could be resolved below it. root: absolute, links resolved."""

    root: str
    splits: dict[str, tuple[str, ...]]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What became of one entry: the path (detail: the spelling that led there, if another), or the kind of the fault."""

    path: str | None = None
    kind: str = ""
    detail: str = ""


def resolve(
    file: str, path: PathEntry | None, splits: Mapping[str, tuple[PathEntry, ...]], *, root: str | None = None, allow_outside: bool = False
) -> Place:
    """Choose the root and resolve each split.

    A relative `path:` is tried against the file's folder, its parent, the working folder and `root`, in that order, a leading `../` also
    without it; the candidate below which most of train and val exist wins, the first of equals.

    Source: conventions of yolov5 (repository), ultralytics (working folder) and web exports (`../train/images`), which all occur.
    """
    folder = os.path.realpath(os.path.dirname(file) or ".")
    given = path or PathEntry("", None, None)
    if odd := _unnameable(given.text):
        return Place(folder, {}, (Fault("data-path-form", file, given.line, given.column, given.text, odd),))
    candidates, replaced = _roots(folder, given.text or ".", root)
    standing = [os.path.realpath(candidate) for candidate in candidates if os.path.isdir(candidate)]
    if not standing:
        detail = "windows" if WINDOWS.match(given.text) else nearest_path(candidates[0])
        return Place(folder, {}, (Fault("data-root-missing", file, given.line, given.column, given.text, detail),))
    wanted = [entry for split in REQUIRED for entry in splits.get(split, ())]
    chosen = max(
        standing, key=lambda c: sum(find(c, entry.text, allow_outside).path is not None for entry in wanted)
    )  # the first of equals
    faults: list[Fault] = []
    if replaced or not _inside(chosen, folder):
        kind = "data-root-replaced" if replaced else "data-root-outside"
        faults.append(Fault(kind, file, given.line, given.column, given.text, chosen))
    resolved: dict[str, tuple[str, ...]] = {}
    for split, entries in splits.items():
        found = [find(chosen, entry.text, allow_outside) for entry in entries]
        faults.extend(_fault(file, split, entry, one) for entry, one in zip(entries, found, strict=True) if one.kind)
        if paths := tuple(one.path for one in found if one.path is not None):
            resolved[split] = paths
    return Place(chosen, resolved, tuple(faults))


def _fault(file: str, split: str, entry: PathEntry, found: Found) -> Fault:
    optional = found.kind == "data-path-missing" and split not in REQUIRED
    return Fault("data-optional-missing" if optional else found.kind, file, entry.line, entry.column, entry.text, found.detail)


def _roots(folder: str, given: str, root: str | None) -> tuple[list[str], bool]:
    """Candidates for the root in order, and whether the option replaced a `path:` that does not exist here."""
    if WINDOWS.match(given) or os.path.isabs(given):
        replaced = root is not None and not os.path.isdir(given)
        return [root if replaced and root is not None else given], replaced
    bases = [folder, os.path.dirname(folder), os.getcwd(), *([root] if root is not None else [])]
    return list(dict.fromkeys(os.path.normpath(os.path.join(base, text)) for base in bases for text in _spellings(given))), False


def _spellings(text: str) -> Iterator[str]:
    yield text
    if text.startswith("../"):
        yield text[3:]


def find(root: str, text: str, allow_outside: bool = False, files: tuple[str, ...] = (".txt",)) -> Found:
    """One path below a root. root: absolute, links resolved. files: endings of files that are welcome beside folders."""
    if odd := _unnameable(text) if text else "empty":
        return Found(kind="data-path-form", detail=odd)
    if WINDOWS.match(text):
        return Found(kind="data-path-missing", detail="windows")
    outside = inside = False
    for spelling in _spellings(text):
        path = os.path.normpath(os.path.join(root, spelling))
        if not allow_outside and not (_inside(path, root) and _inside(os.path.realpath(path), root)):
            outside = True
        elif os.path.isdir(path) or (os.path.isfile(path) and path.lower().endswith(files)):
            return Found(path) if spelling == text else Found(path, "data-path-without-parent", spelling)
        elif os.path.exists(path):
            return Found(kind="data-path-form", detail="neither a folder nor a list")
        elif (labels := label_folder(path)) != path and os.path.isdir(labels) and (allow_outside or is_inside(labels, root)):
            return Found(labels, "data-images-missing", os.path.relpath(labels, root))
        else:
            inside = True
    near = _neighbour(root, spelling) if inside else ""
    if outside and not near:
        return Found(kind="data-path-outside", detail=root)
    return Found(kind="data-path-missing", detail=text.replace("\\", "/") if "\\" in text else near)


def _unnameable(text: str) -> str:
    """Why no file can have this name, "" if one can."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:  # "\ud800" in YAML: half of a character
        return "holds a character that no file name can have"
    return "holds a NUL" if "\0" in text else ""


def _inside(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


def _neighbour(root: str, text: str) -> str:
    """The existing path that was probably meant, relative to the root, or ""."""
    found = nearest_path(os.path.join(root, text))
    return os.path.relpath(found, root) if found else ""
