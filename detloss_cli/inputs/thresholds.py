"""What `check` lets pass: bounds on what was measured, as they are written in a configuration, the environment or on the command line."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from detloss_cli.inputs.nearest import nearest

Kind = Literal["either", "share", "shares"]
# either: a number of things, or a part of them all. shares: a part for each of some terms or levels.
KINDS: dict[str, Kind] = {
    "max-unassigned": "either",
    "min-positives-per-level": "either",
    "min-bpr": "share",
    "max-collisions": "either",
    "max-lost-boxes": "either",
    "max-share": "shares",
    "min-share": "shares",
}
_NUMBER = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(%?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Bound:
    """value: a count, or a part of the whole in 0..1 if `share`. text: as it was written."""

    value: float
    share: bool
    text: str


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The bounds that were set; None and empty for those that were not. max_share, min_share: of a term (`obj`), a level (`P3`) or a
    term of a level (`obj/P3`) in the total loss."""

    max_unassigned: Bound | None = None
    min_positives_per_level: Bound | None = None
    min_bpr: Bound | None = None
    max_collisions: Bound | None = None
    max_lost_boxes: Bound | None = None
    max_share: Mapping[str, Bound] = field(default_factory=dict)
    min_share: Mapping[str, Bound] = field(default_factory=dict)

    @property
    def needs_loss(self) -> bool:
        """True if a bound is about shares of the loss."""
        return bool(self.max_share or self.min_share)


def read_bound(name: str, text: str) -> Bound:
    """`5` is a count, `0.5%` and `.005` are parts of the whole.

    Raises:
        ValueError: it is none of them; the message says what is wanted.
    """
    kind = KINDS[name]
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        wanted = "a part such as 0.5% or .005" if kind != "either" else "a number such as 20, or a part such as 0.5%"
        raise ValueError(f"{text!r} is no bound, write {wanted}")
    value = float(match[1])
    share = bool(match[2]) or kind != "either" or "." in match[1]
    value = value / 100 if match[2] else value
    if share and not (math.isfinite(value) and value <= 1):
        raise ValueError(f"{text!r} is more than all of it, write {match[1]}% or a number from 0 to 1")
    return Bound(value, share, text.strip())


def read_share(name: str, text: str) -> tuple[str, Bound]:
    """`obj=60%`: what of the loss, and how much.

    Raises:
        ValueError: it is not that.
    """
    what, equals, bound = text.partition("=")
    if not equals or not what.strip():
        raise ValueError(f"{text!r} names no term or level, write obj=60% or P3=70%")
    return what.strip(), read_bound(name, bound)


def read_thresholds(given: Mapping[str, str | Iterable[str] | None]) -> tuple[Thresholds, list[tuple[str, str]]]:
    """The bounds, and what is wrong with any of them, all at once: name and words.

    Args:
        given: by name; texts, several for shares.
    """
    bounds: dict[str, Bound] = {}
    shares: dict[str, dict[str, Bound]] = {"max-share": {}, "min-share": {}}
    wrong: list[tuple[str, str]] = []
    for name, value in given.items():
        if value is None:
            continue
        if name not in KINDS:
            near = nearest(name, KINDS)
            wrong.append((name, "no such threshold" + (f", did you mean {near}?" if near else "")))
            continue
        for text in (value,) if isinstance(value, str) else value:
            try:
                if KINDS[name] == "shares":
                    what, bound = read_share(name, text)
                    shares[name][what] = bound
                else:
                    bounds[name.replace("-", "_")] = read_bound(name, text)
            except ValueError as error:
                wrong.append((name, str(error)))
    return Thresholds(**bounds, max_share=shares["max-share"], min_share=shares["min-share"]), wrong
