"""One line to the user on stderr: never markup, never a control character, never an error of its own."""

from __future__ import annotations

import sys

from detloss_cli.report.safe import safe


def say(line: str) -> None:
    """Writes `detloss: ` and the line."""
    text = safe(f"detloss: {line}")
    encoding = sys.stderr.encoding or "utf-8"
    try:
        sys.stderr.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        return
