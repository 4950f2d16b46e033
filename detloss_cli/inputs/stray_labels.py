"""Folders of label files that no picture leads to: renamed, copied aside, or exported to where no loader looks."""

from __future__ import annotations

import re
from collections.abc import Iterable

from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.files import Refused, read_file
from detloss_cli.inputs.limits import Limits
from detloss_cli.inputs.pairing import is_label
from detloss_cli.inputs.scan import scan

ROW = re.compile(rb"\s*\d+(\s+[-+.\deE]+){4,}\s*(\n|\Z)")
HEAD = 64 << 10
# What trainers write below a data set is no part of it.
NOT_DATA = frozenset({"runs"})


def stray_folders(root: str, read: Iterable[str], limits: Limits) -> list[Fault]:
    """One fault for each folder below `root` with label files of which none was read.

    Args:
        read: the label files that belong to a picture, or are named in a fault of their own.
    """
    known = {path.rpartition("/")[0] for path in read}
    faults = []
    for path, folder in scan(root, limits).folders.items():
        parts = path[len(root) :].split("/")
        if path in known or any(part.startswith(".") or part in NOT_DATA for part in parts):
            continue
        labels = sorted(name for name in folder.texts if is_label(name))
        if labels and _looks_like_one(f"{path}/{labels[0]}"):
            faults.append(Fault("label-folder-unread", path, None, None, str(len(labels))))
    return faults


def _looks_like_one(path: str) -> bool:
    """True if the file begins with a row of a class and four or more numbers."""
    data = read_file(path, HEAD)
    return not isinstance(data, Refused) and ROW.match(data) is not None
