"""Where the paths of a training lead today: on the machine it ran on they may have been other ones."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

ABOVE = 4  # a run stands in runs/train/exp of its repository


@dataclass(frozen=True, slots=True)
class Places:
    """What paths are tried against, in this order. folder: of the run, or the working folder. beside: where the trainer's script stands,
    "" where nobody knows. root: `--root`, None without."""

    folder: str
    root: str | None = None
    beside: str = ""


def find_path(text: str, places: Places) -> str | None:
    """The file or folder that a path of a training means, None if it is not here.

    An absolute path stands for itself, a relative one for a place below the run folder, one of the folders above it, the working folder or
    the root, a leading `../` also without it. Of a path that does not exist any more the longest end below the root is taken.
    """
    if not text or "\0" in text:
        return None
    for plain in dict.fromkeys((text, text.replace("\\", "/"))):  # a path of Windows as it stands, then with /
        for candidate in _candidates(plain, places):
            if os.path.exists(candidate):
                return os.path.normpath(candidate)
    return None


def _candidates(text: str, places: Places) -> Iterator[str]:
    if os.path.isabs(text):
        yield text
    elif not re.match(r"[A-Za-z]:/", text):
        for base in _bases(places):
            yield os.path.join(base, text)
            if text.startswith("../"):
                yield os.path.join(base, text[3:])
    if places.root is not None:
        parts = [part for part in text.split("/") if part not in ("", ".", "..") and not part.endswith(":")]
        for first in range(len(parts)):
            yield os.path.join(places.root, *parts[first:])


def _bases(places: Places) -> Iterator[str]:
    folder = os.path.abspath(places.folder)
    for _ in range(ABOVE + 1):
        yield os.path.relpath(folder)
        folder = os.path.dirname(folder)
    yield "."
    if places.beside:
        yield places.beside
