"""One line of a file again, for those who have its number: what a finding stands at."""

from __future__ import annotations

from detloss_cli.inputs.files import Refused, read_file
from detloss_cli.inputs.limits import DEFAULT


class Lines:
    """Lines of files, the last file kept: findings come sorted by path."""

    def __init__(self) -> None:
        self.path: str | None = None
        self.lines: list[bytes] = []

    def at(self, path: str, line: int) -> str | None:
        """A line, counted by LF from 1; None where there is none."""
        if path != self.path:
            self.path = path
            data = read_file(path, DEFAULT.label_bytes)
            self.lines = [] if isinstance(data, Refused) else data.split(b"\n")
        return self.lines[line - 1].decode("utf-8", "surrogateescape") if 0 < line <= len(self.lines) else None
