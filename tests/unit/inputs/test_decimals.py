"""Digits read eight at a time are the numbers that Python reads, bit for bit."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from detloss_cli.inputs.decimals import MARGIN, read_decimals

# up to fifteen digits, with or without a dot anywhere among them
TOKENS = st.from_regex(r"[0-9]{1,15}|(?=.{2,16}\Z)[0-9]{0,15}\.[0-9]{0,15}", fullmatch=True).filter(lambda token: token != ".")


def read(tokens: list[str]) -> list[float]:
    length = np.array([len(token) for token in tokens], dtype=np.int64)
    end = np.cumsum(length + 1) - 1 + MARGIN
    dot = np.array([token.find(".") for token in tokens], dtype=np.int64)
    text = b" " * MARGIN + " ".join(tokens).encode() + b"\n"
    return read_decimals(text, end, length, np.where(dot >= 0, end - length + dot, -1)).tolist()


@settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(TOKENS, max_size=8))
def test_any_tokens(tokens: list[str]) -> None:
    assert read(tokens) == [float(token) for token in tokens]


@settings(max_examples=100, derandomize=True, deadline=None)
@given(TOKENS, st.integers(1, 5))
def test_tokens_that_are_all_alike(token: str, count: int) -> None:
    assert read([token] * count) == [float(token)] * count
