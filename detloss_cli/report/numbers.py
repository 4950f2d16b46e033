"""Numbers as they stand in a table: aligned, short, and the same for the same value everywhere."""

from __future__ import annotations

import math
from collections.abc import Iterable

NOTHING = "-"


def count(number: int) -> str:
    """8,062"""
    return f"{number:,}"


def many(number: int, thing: str, things: str | None = None) -> str:
    """`1 box`, `8,062 boxes`."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def percent(share: float | None) -> str:
    """`37 %`; one digit more below 1 %."""
    if share is None or not math.isfinite(share):
        return NOTHING
    if share == 0:
        return "0 %"
    if share < 0.00095:
        return "<.1 %"
    return f"{trim(f'{100 * share:.1f}')} %" if share < 0.00995 else f"{100 * share:.0f} %"


def decimals(values: Iterable[float | None]) -> int:
    """Digits after the point that a table of these values needs: about four that count in the largest."""
    largest = max((abs(v) for v in values if v is not None and math.isfinite(v)), default=0.0)
    if 0 < largest < 0.01:
        return 6
    return max(0, 4 - (len(f"{largest:.4f}".partition(".")[0]) - 1))


def fixed(number: float | None, digits: int) -> str:
    """`.0359`: no zero before the point. `nan` and `inf` stay visible."""
    if number is None:
        return NOTHING
    if not math.isfinite(number):
        return str(number)
    return trim(f"{number:,.{digits}f}")


def short(number: float) -> str:
    """`.05`, `4`, `1.7266`: up to five digits that count, no more than needed."""
    if not math.isfinite(number):
        return str(number)
    return trim(f"{number:.5g}")


def times(ratio: float | None) -> str:
    """`1.3x`"""
    if ratio is None or not math.isfinite(ratio):
        return NOTHING
    return f"{ratio:,.0f}x" if ratio >= 99.5 else f"{trim(f'{ratio:.2f}')}x" if ratio < 0.095 else f"{trim(f'{ratio:.1f}')}x"


def trim(text: str) -> str:
    """Without the zero before the point."""
    if text.startswith("0."):
        return text[1:]
    return "-" + text[2:] if text.startswith("-0.") else text
