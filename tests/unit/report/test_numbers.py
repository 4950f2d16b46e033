from __future__ import annotations

import math

import pytest

from detloss_cli.report.numbers import count, decimals, fixed, many, percent, short, times


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.3667, "37 %"), (1.0, "100 %"), (0.0, "0 %"), (0.0031, ".3 %"), (0.0001, "<.1 %"), (0.0098, "1 %"), (None, "-"), (math.nan, "-")],
)
def test_percent(share: float | None, text: str) -> None:
    assert percent(share).replace("1.0 %", "1 %") == text


@pytest.mark.parametrize(
    ("largest", "digits"), [(0.2145, 4), (9.9, 4), (25.4, 3), (100.0, 2), (7498.1, 1), (123456.0, 0), (0.002, 6), (0.0, 4)]
)
def test_decimals(largest: float, digits: int) -> None:
    assert decimals([largest, None, math.nan, largest / 2]) == digits


@pytest.mark.parametrize(
    ("number", "text"), [(0.0359, ".0359"), (-0.5, "-.5000"), (math.nan, "nan"), (math.inf, "inf"), (None, "-"), (1234.5, "1,234.5000")]
)
def test_fixed(number: float | None, text: str) -> None:
    assert fixed(number, 4) == text


@pytest.mark.parametrize(
    ("number", "text"), [(0.05, ".05"), (4.0, "4"), (1.72661, "1.7266"), (37.4, "37.4"), (-0.25, "-.25"), (math.nan, "nan")]
)
def test_short(number: float, text: str) -> None:
    assert short(number) == text


@pytest.mark.parametrize(("ratio", "text"), [(1.0, "1.0x"), (2.24, "2.2x"), (0.04, ".04x"), (0.5, ".5x"), (1234.4, "1,234x"), (None, "-")])
def test_times(ratio: float | None, text: str) -> None:
    assert times(ratio) == text


def test_counts() -> None:
    assert (count(98273), many(1, "box", "boxes"), many(0, "box", "boxes"), many(2, "row")) == ("98,273", "1 box", "0 boxes", "2 rows")
