"""What labels alone decide of an assignment that looks at predictions too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OpenFacts:
    """One test that needs no prediction. test: what decides. by_level: boxes with a slot that passes, on each level. any: on some level.
    none: on no level."""

    test: str
    by_level: tuple[int, ...]
    any: int
    none: int


@dataclass(frozen=True, slots=True)
class SizeFacts:
    """Boxes that fail the first test on every level, at one input size (height and width, px), by release; those alike stand together."""

    imgsz: tuple[int, int]
    none: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ReachFacts:
    """boxes: all of them. levels: names of the levels that the counts run over. tests: each narrower than the one before."""

    boxes: int
    levels: tuple[str, ...]
    tests: tuple[OpenFacts, ...]
    sizes: tuple[SizeFacts, ...]
