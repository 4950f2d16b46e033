"""What a class id and coordinates have to be. Compared as float32, which is what every trainer holds them in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from detloss_cli.inputs.row_fault import RowFault

if TYPE_CHECKING:
    Token = tuple[int, str]

INTEGER = re.compile(r"[+-]?\d{1,18}\Z", re.ASCII)
HUGE = re.compile(r"[+-]?\d{19,}\Z", re.ASCII)
# Beyond this a value is no rounding of a fraction: it is a pixel.
PIXEL = 2.0
# What stands for a class id beyond 64 bits.
LARGEST = 10**18


def check_class(faults: list[RowFault], token: Token, num_classes: int | None, max_class: int) -> int | None:
    """The class id of a row, None if it is no whole number; what is wrong with it goes to `faults`."""
    column, word = token
    if INTEGER.match(word):
        cls = int(word)
    elif HUGE.match(word):  # more than any integer of the trainers holds; kept out of the columns as well
        cls = -LARGEST if word.startswith("-") else LARGEST
    elif float(word).is_integer() and abs(float(word)) < 2**53:
        cls = int(float(word))
        faults.append(RowFault("class-decimal", column, word))
    else:
        faults.append(RowFault("class-not-integer", column, word))
        return None
    if cls < 0 or (num_classes is not None and cls >= num_classes):
        faults.append(RowFault("class-out-of-range", column, word, "" if num_classes is None else str(num_classes)))
    elif num_classes is None and cls >= max_class:
        faults.append(RowFault("class-huge", column, word, str(max_class)))
    return cls


def check_box(faults: list[RowFault], tokens: Sequence[Token], values: Sequence[float]) -> None:
    """Add what is wrong with centre x, centre y, width and height."""
    cx, cy, w, h = _float32(values).tolist()
    if max(cx, cy, w, h) > PIXEL:
        at = next(n for n, value in enumerate((cx, cy, w, h), 1) if value > PIXEL)
        faults.append(RowFault("pixel-coordinates", *tokens[at]))
        return
    for at, value in ((1, cx), (2, cy)):
        if not 0 <= value <= 1:
            faults.append(RowFault("centre-outside", *tokens[at], "x" if at == 1 else "y"))
            break
    for at, value in ((3, w), (4, h)):
        if not value > 0:
            faults.append(RowFault("size-not-positive", *tokens[at], "width" if at == 3 else "height"))
            break
    for at, value in ((3, w), (4, h)):
        if value > 1:
            faults.append(RowFault("size-above-one", *tokens[at], "width" if at == 3 else "height"))
            break


def _float32(values: Sequence[float]) -> NDArray[np.float32]:
    """What does not fit is infinite."""
    with np.errstate(over="ignore"):
        return np.asarray(values, dtype=np.float32)


def check_polygon(faults: list[RowFault], tokens: Sequence[Token], values: Sequence[float]) -> None:
    """Add what is wrong with the points of a polygon."""
    points = _float32(values)
    if points.max() > PIXEL:
        faults.append(RowFault("pixel-coordinates", *tokens[1 + int(np.argmax(points > PIXEL))]))
        return
    outside = (points < 0) | (points > 1)
    if outside.any():
        faults.append(RowFault("point-outside", *tokens[1 + int(np.argmax(outside))], f"{int(outside.sum())} values"))
    if not (np.ptp(points[0::2]) > 0 and np.ptp(points[1::2]) > 0):
        faults.append(RowFault("size-not-positive", *tokens[1], "polygon"))
