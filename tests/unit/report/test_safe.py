from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detloss_cli.report.safe import encodable, safe

ANYTHING = st.text(st.characters(codec=None, exclude_categories=()))


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain é 野", "plain é 野"),
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("tab\tline\nend\r", "tab\\x09line\\x0aend\\x0d"),
        ("\x7f\x9b", "\\x7f\\x9b"),
        ("\u202etxt.exe", "\\u202etxt.exe"),
        ("a\u2028b\u2066c\u061c", "a\\u2028b\\u2066c\\u061c"),
        (b"caf\xe9.txt".decode("utf-8", "surrogateescape"), "caf\\xe9.txt"),
        ("\ud800", "\\ud800"),
        ("", ""),
    ],
)
def test_what_acts_becomes_visible(raw: str, shown: str) -> None:
    assert safe(raw) == shown


@given(ANYTHING)
def test_nothing_that_acts_is_left(text: str) -> None:
    shown = safe(text)
    assert not [c for c in shown if ord(c) < 0x20 or 0x7F <= ord(c) <= 0x9F or 0x202A <= ord(c) <= 0x202E or 0xD800 <= ord(c) <= 0xDFFF]
    assert safe(shown) == shown
    shown.encode()


@given(ANYTHING)
def test_encodable_changes_surrogates_only(text: str) -> None:
    encodable(text).encode()
    assert encodable(text) == text or any(0xD800 <= ord(c) <= 0xDFFF for c in text)
