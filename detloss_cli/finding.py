"""A finding: one fault at one place, as a value. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["info", "warning", "error"]
RANK: dict[str, int] = {"info": 0, "warning": 1, "error": 2}


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a file.

    path: as it was opened, bytes that are no UTF-8 as surrogate escapes. line, column: 1-based, None for the whole file.
    """

    path: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault.

    code: `DET` and three digits, never reused. rule: its name, works wherever the code does. severity: info, warning or error.
    message: what is so, with the offending token, foreign text still raw. hint: what to do. count: how many places it stands for.
    share: the part of its whole that it touches, 0..1, None where there is no whole.
    """

    code: str
    rule: str
    severity: Severity
    message: str
    where: Where | None = None
    hint: str | None = None
    count: int = 1
    share: float | None = field(default=None)

    @property
    def rank(self) -> int:
        """0 for info, 1 for warning, 2 for error."""
        return RANK[self.severity]

    def sort_key(self) -> tuple[str, int, int, str]:
        """Order by path, line, column and code; findings without a place come last."""
        if self.where is None:
            return ("\U0010ffff", 0, 0, self.code)
        return (self.where.path, self.where.line or 0, self.where.column or 0, self.code)
