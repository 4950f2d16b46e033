"""Foreign text in quotes, for messages."""

from __future__ import annotations

import re

# What repr() makes of a byte that is no UTF-8 and came in as a surrogate escape.
MOST = 80  # characters of one token
LONGEST = 160  # characters of a path
STRAY_BYTE = re.compile(r"(?<!\\)\\udc([89a-f][0-9a-f])")


def quoted(text: str) -> str:
    r"""In quotes, with blanks and controls that cannot be seen as escapes; stray bytes as `\xNN`, and a backslash not doubled."""
    shown = STRAY_BYTE.sub(r"\\x\1", repr(text)).replace("\\\\", "\\")
    return shown if len(shown) <= MOST + 2 else f"{shown[:MOST]}…{shown[-1]}"


def shortened(path: str) -> str:
    """A path, its middle left out where it is longer than any that a person wrote."""
    half = LONGEST // 2
    return path if len(path) <= LONGEST else f"{path[:half]}…{path[-half:]}"
