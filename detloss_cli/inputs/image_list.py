"""A `.txt` file that lists pictures, one a line, as the trainers read it."""

from __future__ import annotations

import os

from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.files import Refused, read_file
from detloss_cli.inputs.limits import Limits
from detloss_cli.inputs.pairing import Paired, is_inside, label_folder
from detloss_cli.inputs.row_text import UTF8_BOM
from detloss_cli.inputs.scan import PICTURES


def pair_list(source: str, root: str, limits: Limits, *, allow_outside: bool = False) -> Paired:
    """Find the pictures that a list names and pair them with their labels.

    A line that starts with `./` is relative to the list, any other relative one to the root, else to the list.

    Args:
        source: the list.
        root: resolved; a picture or label that leaves it is a fault and is left out.
    """
    paired = Paired()
    data = read_file(os.path.realpath(source), limits.list_bytes)
    if isinstance(data, Refused):
        kind = "list-too-big" if data.kind == "label-too-big" else data.kind
        paired.faults.append(Fault(kind, source, None, None, "", data.detail))
        return paired
    home = os.path.dirname(source)
    folders = _Folders(root, allow_outside)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        paired.faults.append(Fault("not-utf8", source, 1, 1, "", "UTF-16"))
        return paired
    if data.startswith(UTF8_BOM):
        paired.faults.append(Fault("byte-order-mark", source, 1, 1, "\ufeff", "list"))
    for number, raw in enumerate(data.removeprefix(UTF8_BOM).split(b"\n"), 1):
        text = raw.strip().decode("utf-8", "surrogateescape")
        if not text:
            continue
        picture = resolve_line(text, home, root)
        if "\0" in text or text.rpartition(".")[2].lower() not in PICTURES:
            paired.faults.append(Fault("list-line", source, number, 1, text[:80]))
            continue
        folder, _, name = picture.rpartition("/")
        if not folders.allowed(folder):
            paired.faults.append(Fault("list-line-outside", source, number, 1, text[:80], root))
            continue
        label = _label(folder, name, folders)
        if not folders.has(folder, name):
            # where no picture is at hand at all the labels can still be read
            if label is None or folders.names(folder):
                paired.faults.append(Fault("listed-image-missing", source, number, 1, text[:80]))
                continue
            picture = label
        paired.pictures.append(picture)
        paired.labels.append(label or "")
        if label is None:
            paired.faults.append(Fault("image-without-label", picture, None, None, name, label_folder(folder)))
    return paired


def resolve_line(text: str, home: str, root: str) -> str:
    """The path that a line of a list names; `home` is the folder of the list."""
    if text.startswith("./"):
        return os.path.normpath(os.path.join(home, text))
    path = os.path.normpath(os.path.join(root, text))
    if os.path.isabs(text) or home == root or os.path.lexists(path):
        return path
    beside = os.path.normpath(os.path.join(home, text))
    return beside if os.path.lexists(beside) else path


def _label(folder: str, name: str, folders: _Folders) -> str | None:
    home = label_folder(folder)
    label = name.rpartition(".")[0] + ".txt"
    return f"{home}/{label}" if folders.allowed(home) and folders.has(home, label) else None


class _Folders:
    """The names in each folder that a list mentions, read once."""

    def __init__(self, root: str, allow_outside: bool) -> None:
        self.root, self.allow_outside = root, allow_outside
        self.listed: dict[str, frozenset[str]] = {}
        self.inside: dict[str, bool] = {}

    def allowed(self, folder: str) -> bool:
        if folder not in self.inside:
            self.inside[folder] = self.allow_outside or is_inside(folder, self.root)
        return self.inside[folder]

    def names(self, folder: str) -> frozenset[str]:
        if folder not in self.listed:
            try:
                self.listed[folder] = frozenset(os.listdir(folder))
            except OSError:
                self.listed[folder] = frozenset()
        return self.listed[folder]

    def has(self, folder: str, name: str) -> bool:
        return name in self.names(folder)
