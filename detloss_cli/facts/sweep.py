"""One setting after the other, as plain values. The field names are those of the JSON report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """The data under one choice. values: of the keys, as written. present: nothing but what the command would have used anyway.

    lost: rows that the loader does not keep. levels: positives by level. totals: by term name and `total`, None where no loss was
    computed. by_head: the assignment asks what the head says, here a synthetic one. error: why nothing could be computed, and all
    figures are None then.
    """

    values: tuple[str, ...]
    present: bool
    boxes: int | None = None
    unassigned: int | None = None
    share: float | None = None
    positives: int | None = None
    per_box: float | None = None
    best_possible_recall: float | None = None
    lost: int | None = None
    by_reason: Mapping[str, int] = field(default_factory=dict)
    levels: Mapping[str, int] = field(default_factory=dict)
    totals: Mapping[str, float] | None = None
    by_head: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True)
class SweepFacts:
    """keys: one or two. points: in the order in which they were asked for, the last key moving fastest, and the present setting."""

    keys: tuple[str, ...]
    points: tuple[SweepPoint, ...]
