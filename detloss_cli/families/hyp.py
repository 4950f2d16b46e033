"""Hyperparameters of a family as a typed record: default, range and meaning of each key."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class HypKey:
    """One key. low, high: the range that the trainer's own evolution searches, None if it does not. meaning: one line with the unit."""

    name: str
    default: float
    low: float | None
    high: float | None
    meaning: str


def hyp_field(default: float, low: float | None, high: float | None, meaning: str) -> Any:
    """A dataclass field that carries the range and the meaning of its key."""
    return field(default=default, metadata={"low": low, "high": high, "meaning": meaning})


def hyp_keys(record: type) -> tuple[HypKey, ...]:
    """The keys of a Hyp class, in order."""
    return tuple(
        HypKey(f.name, f.default, f.metadata["low"], f.metadata["high"], f.metadata["meaning"])  # type: ignore[arg-type]
        for f in fields(record)
        if "meaning" in f.metadata  # the others are switches, not keys
    )
