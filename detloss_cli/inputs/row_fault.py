"""A fault within one line, before it knows its file."""

from __future__ import annotations

from dataclasses import dataclass

from detloss_cli.inputs.fault import Fault


@dataclass(frozen=True, slots=True)
class RowFault:
    """kind: the name of the rule that judges it. column: 1-based, in characters. token: as in the file. detail: as `Fault.detail`."""

    kind: str
    column: int
    token: str
    detail: str = ""

    def at(self, path: str, line: int) -> Fault:
        """The same fault with its place; tokens are cut to 80 characters."""
        return Fault(self.kind, path, line, self.column, self.token[:80], self.detail)
