"""Hyperparameters of a family as a typed record: default, range and meaning of each key."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class HypKey:
    """One key. low, high: the range that the trainer's own evolution searches, None if it does not. meaning: one line with the unit.
    choices: the words that a key without a number can hold."""

    name: str
    default: float | str | bool
    low: float | None
    high: float | None
    meaning: str
    choices: tuple[str, ...] = ()


def hyp_field(default: float, low: float | None, high: float | None, meaning: str) -> Any:
    """A dataclass field that carries the range and the meaning of its key."""
    return field(default=default, metadata={"low": low, "high": high, "meaning": meaning, "choices": ()})


def word_field(default: str, choices: tuple[str, ...], meaning: str) -> Any:
    """A dataclass field whose key holds one of some words."""
    return field(default=default, metadata={"low": None, "high": None, "meaning": meaning, "choices": choices})


def switch_field(meaning: str) -> Any:
    """A dataclass field whose key is true or false, and false unless it is given."""
    return field(default=False, metadata={"low": None, "high": None, "meaning": meaning, "choices": ("true", "false")})


def hyp_keys(record: type) -> tuple[HypKey, ...]:
    """The keys of a Hyp class, in order."""
    return tuple(
        HypKey(f.name, f.default, f.metadata["low"], f.metadata["high"], f.metadata["meaning"], f.metadata["choices"])  # type: ignore[arg-type]
        for f in fields(record)
        if "meaning" in f.metadata  # the others are switches, not keys
    )
