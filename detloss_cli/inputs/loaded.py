"""What a loader made of one label file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Action = Literal["drop", "background", "stop", "misread", "remove", "accept"]


class LoadedBox(NamedTuple):
    """line: 1-based. The rest as `Labels.boxes`."""

    line: int
    cls: int
    cx: float
    cy: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class Fate:
    """Something that a loader does without being asked.

    action: `drop` the image, take it for `background`, `stop` the training, `misread` a row, `remove` a repeat, `accept` what is an error.
    path, line: where; line is None for the whole file. kind: the fault behind it. rows: how many rows it takes along.
    """

    action: Action
    path: str
    line: int | None
    kind: str
    rows: int


@dataclass(slots=True)
class Loaded:
    """One file. boxes: what is kept, in the loader's order. lost: fault kind -> rows. fates: what there is to tell."""

    boxes: list[LoadedBox] = field(default_factory=list)
    lost: dict[str, int] = field(default_factory=dict)
    fates: list[Fate] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """True if the image was lost as a whole."""
        return any(fate.action in ("drop", "background", "stop") and fate.line is None for fate in self.fates)
