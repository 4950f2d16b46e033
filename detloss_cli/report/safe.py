"""Foreign text on its way out: what a terminal, a log or a browser could act on becomes visible."""

from __future__ import annotations

import re

# C0, DEL, C1, the bidirectional controls, the two line separators, surrogates.
_ACTIVE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_ESCAPED_BYTES = range(0xDC80, 0xDD00)


def safe(text: str) -> str:
    r"""Text without a character that acts: `\xNN` for control characters and stray bytes, `\uNNNN` for the rest. Idempotent."""
    return _ACTIVE.sub(_visible, _as_utf8(text))


def encodable(text: str) -> str:
    r"""Text that any Unicode encoding takes: surrogates, which stand for bytes that are no UTF-8, become `\xNN`."""
    return _SURROGATES.sub(_visible, _as_utf8(text))


def _as_utf8(text: str) -> str:
    """File names under a locale that is not UTF-8 are all escaped bytes; the report is the same under any."""
    if not _SURROGATES.search(text):
        return text
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code in _ESCAPED_BYTES:  # surrogateescape: the byte itself
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
