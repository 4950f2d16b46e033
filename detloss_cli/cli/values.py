"""What the words on the command line mean, checked before anything heavy is imported."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.nearest import nearest, nearest_path

DEVICE = re.compile(r"auto|cpu|cuda|cuda:\d{1,3}")
SIZE = re.compile(r"(\d{1,5})(?:[x, ](\d{1,5}))?")
MOST_PIXELS = 1 << 15


def one_of(value: str, known: Iterable[str], option: str) -> str:
    """A word of a list.

    Raises:
        DetlossError: another one.
    """
    words = list(known)
    if value in words:
        return value
    near = nearest(value, words)
    raise DetlossError(f"{value!r} is not known", where=option, hint=f"did you mean {near}?" if near else f"one of {', '.join(words)}")


def device(value: str) -> str:
    """`auto`, `cpu`, `cuda`, `cuda:1`; `0` is `cuda:0`, as the trainers have it.

    Raises:
        DetlossError: anything else.
    """
    word = value.strip().lower()
    word = f"cuda:{word}" if word.isdecimal() and word.isascii() else word
    if not DEVICE.fullmatch(word):
        raise DetlossError(f"{value!r} is no device", where="--device", hint="auto, cpu, cuda, cuda:1, or 1 for cuda:1")
    return word


def size(value: str | None) -> tuple[int, int] | None:
    """`640`, or height and width as in `384x640`, `384,640` and `[384, 640]`: (height, width).

    Raises:
        DetlossError: anything else.
    """
    if value is None:
        return None
    match = SIZE.fullmatch(value.strip().strip("[]()").replace(", ", ","))
    sides = (int(match[1]), int(match[2] or match[1])) if match else (0, 0)
    if not all(0 < side <= MOST_PIXELS for side in sides):
        raise DetlossError(f"{value!r} is no input size", where="--imgsz", hint="pixels: 640, or height and width: 384x640")
    return sides


def ids(value: str | None, option: str) -> tuple[int, ...]:
    """`0,2` as in the trainers: class ids.

    Raises:
        DetlossError: anything else.
    """
    words = [word.strip() for word in (value or "").strip("[]").split(",")] if value is not None else []
    if not all(word.isdecimal() and word.isascii() and len(word) < 7 for word in words):
        raise DetlossError(f"{value!r} is no list of class ids", where=option, hint="ids from 0: 0,2")
    return tuple(int(word) for word in words)


def data(given: list[str] | None, option: list[str] | None, *, needed: bool = True, hint: str = "") -> tuple[str, ...]:
    """DATA, as arguments or as --data; every one is there.

    Raises:
        DetlossError: none, or one that does not exist.
    """
    paths = (*(given or ()), *(option or ()))
    if needed and not paths:
        raise DetlossError("DATA is missing", hint=hint or "give a data.yaml, a folder of labels, a .txt list or a COCO .json")
    for path in paths:
        existing(path)
    return paths


def existing(path: str, option: str = "") -> str:
    """A path that is there; one with a scheme is for others to open.

    Raises:
        DetlossError: it is not.
    """
    if "://" in path or os.path.lexists(path):
        return path
    near = nearest_path(path)
    if near and not os.path.isabs(path):
        near = os.path.relpath(near)
    raise DetlossError(
        "no such file or folder", where=f"{option} {path}".lstrip(), hint=f"did you mean {near}?" if near else "check the path"
    )
