"""What a reader saw that is not as it should be: a place and a token, without a judgement. `checks` turns it into a finding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing at one place.

    kind: the name of the rule that judges it. path: as it was opened. line, column: 1-based, LF-counted, None for the whole file.
    token: the offending text, still raw. detail: what the rule needs beyond the token, such as the name that was probably meant.
    """

    kind: str
    path: str
    line: int | None
    column: int | None
    token: str
    detail: str = ""
