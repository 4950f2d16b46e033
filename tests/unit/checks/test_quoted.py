"""Foreign text in messages: what cannot be seen is made visible, and nothing takes a whole screen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detloss_cli.checks.quoted import LONGEST, MOST, quoted, shortened
from detloss_cli.report.safe import safe


def test_what_a_person_has_to_see() -> None:
    assert quoted("a b") == "'a b'"
    assert quoted("C:\\x\\y.png") == "'C:\\x\\y.png'"
    assert quoted(b"\x85 1".decode("utf-8", "surrogateescape")) == "'\\x85 1'"
    assert quoted("\u200b0\xa0\ufeff") == "'\\u200b0\\xa0\\ufeff'"
    assert quoted("caf\u00e9") == "'caf\u00e9'"


def test_no_token_fills_the_screen() -> None:
    assert quoted("9" * 500) == f"'{'9' * (MOST - 1)}…'"
    assert len(quoted("\x01" * 80)) <= MOST + 2
    assert shortened("a" * 160) == "a" * LONGEST
    assert shortened("a" * 100 + "/" + "b" * 100) == f"{'a' * 80}…{'b' * 80}"


@given(st.text())
def test_nothing_in_it_acts(text: str) -> None:
    assert safe(quoted(text)) == quoted(text)
