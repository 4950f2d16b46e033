"""What stops a run, and the exit code it ends with. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence

OK = 0
FINDINGS = 1
USAGE = 2
BUG = 3
INCOMPLETE = 4
INTERRUPTED = 130
TERMINATED = 143


class DetlossError(Exception):
    """A mistake of the user, in one line that says what to do.

    Args:
        message: what is wrong, one line.
        where: the path, option or value it is about.
        hint: what to do next, one line.
        code: the exit code the run ends with, 2 unless a limit was hit.
        rule: name of the rule that refuses, None for a mistake that no rule is about.
    """

    def __init__(
        self, message: str, *, where: str | None = None, hint: str | None = None, code: int = USAGE, rule: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint
        self.code = code
        self.rule = rule

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head} ({self.hint})" if self.hint else head


class DetlossErrors(DetlossError):
    """Several mistakes in one place, all of them told at once.

    Args:
        errors: one or more.
    """

    def __init__(self, errors: Sequence[DetlossError]) -> None:
        first = errors[0]
        super().__init__(first.message, where=first.where, hint=first.hint, code=first.code, rule=first.rule)
        self.errors = tuple(errors)
