"""Which label file belongs to which picture: the last `/images/` of a path becomes `/labels/`, the extension `.txt`."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass, field

from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.limits import Limits
from detloss_cli.inputs.scan import Folder, Scanner, scan

# Text files that tools leave beside labels, by their names in lower case.
NOT_LABELS = frozenset(
    {"classes.txt", "names.txt", "labels.txt", "predefined_classes.txt", "train.txt", "val.txt", "valid.txt", "test.txt", "notes.txt"}
)


@dataclass(slots=True)
class Paired:
    """Pictures and their label files.

    pictures: the label file itself where there are labels only. labels: "" if a picture has none.
    caches: label caches found on the way. orphans: label files that no picture asks for -> the kind of fault at them.
    """

    pictures: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    caches: list[str] = field(default_factory=list)
    orphans: dict[str, str] = field(default_factory=dict)


def label_folder(folder: str) -> str:
    """The folder that holds the labels of the pictures in `folder`; the same one if its path has no `/images/`."""
    head, found, tail = f"{folder}/".rpartition("/images/")
    return f"{head}/labels/{tail}".rstrip("/") if found else folder


def picture_folder(folder: str) -> str:
    """The folder that holds the pictures of the labels in `folder`: the last `/labels/` of its path becomes `/images/`."""
    head, found, tail = f"{folder}/".rpartition("/labels/")
    return f"{head}/images/{tail}".rstrip("/") if found else folder


def is_inside(path: str, root: str) -> bool:
    """True if a path, its links resolved, lies at or below `root`, which is resolved already."""
    real = os.path.realpath(path)
    return real == root or real.startswith(root.rstrip("/") + "/")


def pair_folder(source: str, root: str, limits: Limits, *, allow_outside: bool = False, scanner: Scanner = scan) -> Paired:
    """Find the pictures below a folder and pair them with their labels.

    Args:
        source: a folder of pictures, of pictures and labels, or of labels alone.
        root: resolved; a label folder that leaves it is a fault and is not read.
        allow_outside: read it nevertheless.
        scanner: who looks into the folders.
    """
    pictures = picture_folder(source)
    if pictures != source and os.path.isdir(pictures) and is_inside(pictures, root):
        beside = scanner(source, limits)
        if not any(folder.pictures for folder in beside.folders.values()) and scanner(pictures, limits).files:
            return pair_folder(pictures, root, limits, allow_outside=allow_outside, scanner=scanner)
    found = scanner(source, limits)
    folders, paired = found.folders, Paired(faults=found.faults)
    twin = label_folder(source)
    if twin != source and os.path.isdir(twin):
        if allow_outside or is_inside(twin, root):
            below = scanner(twin, limits)
            folders = {**folders, **below.folders}
            paired.faults.extend(below.faults)
        else:
            paired.faults.append(Fault("leaves-root", twin, None, None, "", root))
    label_homes = {path for path in folders if path == twin or path.startswith(twin + "/")} if twin != source else set()
    if not any(folder.pictures for folder in folders.values()):
        _labels_only({path: folders[path] for path in label_homes} or folders, paired)
    else:
        left = {home: set(folders[home].texts) for home in label_homes}
        for path, folder in folders.items():
            if folder.pictures:
                home = label_folder(path)
                texts = set(folders[home].texts) if home in folders else set[str]()
                _pair(path, folder, home, texts, paired, left.setdefault(home, set(texts)))
        for home in sorted(left):
            _left_over(home, left[home], paired)
    paired.caches = [f"{path}/{name}" for path, folder in folders.items() for name in folder.caches]
    paired.caches += [path for path in {f"{source}.cache", f"{twin}.cache"} if os.path.isfile(path)]
    return paired


def _labels_only(folders: dict[str, Folder], paired: Paired) -> None:
    for path, folder in folders.items():
        for name in sorted(folder.texts):
            full = f"{path}/{name}"
            if is_label(name):
                paired.pictures.append(full)
                paired.labels.append(full)
            else:
                paired.faults.append(Fault("not-a-label", full, None, None, name))


def is_label(name: str) -> bool:
    """False for the text files that tools leave beside labels."""
    lower = name.lower()
    return lower not in NOT_LABELS and not lower.startswith("readme")


def _pair(path: str, folder: Folder, home: str, texts: set[str], paired: Paired, left: set[str]) -> None:
    """Whole lists at a time; name by name only where something is amiss.

    Args:
        texts: names in `home`. left: those that no picture has asked for so far; what is asked for now is taken out.
    """
    wanted, alike = _label_names(folder.pictures)
    missing = {n for n, name in enumerate(wanted) if name not in texts}
    paired.pictures.extend(_below(path, folder.pictures))
    start = len(paired.labels)
    paired.labels.extend(_below(home, wanted))
    left.difference_update(wanted)
    for n in missing:
        paired.labels[start + n] = ""
    first: dict[str, str] = {}
    odd = missing
    if not alike:
        for name, label in zip(folder.pictures, wanted, strict=True):
            first.setdefault(label, name)
        odd = missing | {n for n, label in enumerate(wanted) if first[label] != folder.pictures[n]}
    folded = {_plain(text): text for text in sorted(left)} if missing else {}
    for n in sorted(odd):
        name, first_name = folder.pictures[n], first.get(wanted[n], folder.pictures[n])
        picture = f"{path}/{name}"
        if first_name != name:
            paired.faults.append(Fault("same-stem", picture, None, None, name, first_name))
        if n not in missing:
            continue
        other = folded.get(_plain(wanted[n]))
        if other is not None and other in left:
            left.discard(other)
            paired.orphans[f"{home}/{other}"] = "label-case-differs"
            paired.faults.append(Fault("label-case-differs", f"{home}/{other}", None, None, other, wanted[n]))
        else:
            paired.faults.append(Fault("image-without-label", picture, None, None, name, f"{home}/{wanted[n]}"))


def _label_names(pictures: list[str]) -> tuple[list[str], bool]:
    """The label file of each picture: the same name with another end. And whether the ends are alike, so that each has its own."""
    end = "." + pictures[0].rpartition(".")[2] if pictures else ""
    together = "\0".join([*pictures, ""])
    if together.count(f"{end}\0") == len(pictures):
        return together.replace(f"{end}\0", ".txt\0").split("\0")[:-1], True
    return [f"{name.rpartition('.')[0]}.txt" for name in pictures], False


def _plain(name: str) -> str:
    """What a name says, whatever its case and however its accents are put together."""
    return unicodedata.normalize("NFC", name).casefold()


def _below(folder: str, names: list[str]) -> list[str]:
    """Paths of names in a folder, at once: no name holds a NUL."""
    return f"{folder}/{f'{chr(0)}{folder}/'.join(names)}".split("\0") if names else []


def _left_over(home: str, left: set[str], paired: Paired) -> None:
    for name in sorted(left):
        kind = "label-without-image" if is_label(name) else "not-a-label"
        paired.faults.append(Fault(kind, f"{home}/{name}", None, None, name))
        if kind == "label-without-image":
            paired.orphans[f"{home}/{name}"] = kind
