"""What is known of a training, as plain values. The field names are those of the JSON report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TermLog:
    """One term over the epochs, in the trainer's units, beside its marks without augmentation. values: a mean an epoch, None where it is
    not finite. below: epoch from which it stays below its base rate, None if it does not."""

    term: str
    step_0: float
    base_rate: float
    floor: float
    values: tuple[float | None, ...]
    below: int | None


@dataclass(frozen=True, slots=True)
class LogFacts:
    """path: of the log. epochs: number of each row. terms: those that the loss has too. not_finite: first epoch with such a value, and its
    term. unread: rows that could not be read."""

    path: str
    epochs: tuple[int, ...]
    terms: tuple[TermLog, ...]
    not_finite: tuple[int, str] | None
    unread: int


@dataclass(frozen=True, slots=True)
class RunFacts:
    """A run folder or a train command. files: read. missing: that a run of this trainer has. values: (setting, value, source) of what it
    decided. log: None without one, or without a loss to hold it against."""

    path: str
    trainer: str
    files: tuple[str, ...]
    missing: tuple[str, ...]
    values: tuple[tuple[str, str, str], ...]
    log: LogFacts | None = None
