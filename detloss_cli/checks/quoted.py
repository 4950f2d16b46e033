"""Foreign text in quotes, for messages."""

from __future__ import annotations

import re

# What repr() makes of a byte that is no UTF-8 and came in as a surrogate escape.
STRAY_BYTE = re.compile(r"(?<!\\)\\udc([89a-f][0-9a-f])")


def quoted(text: str) -> str:
    r"""In quotes, with blanks and controls that cannot be seen as escapes; stray bytes as `\xNN`, and a backslash not doubled."""
    return STRAY_BYTE.sub(r"\\x\1", repr(text)).replace("\\\\", "\\")
