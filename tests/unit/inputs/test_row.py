"""One row at a time: what it is read as and what is said about it."""

from __future__ import annotations

import pytest

from detloss_cli.inputs.limits import DEFAULT
from detloss_cli.inputs.row import parse_row
from detloss_cli.inputs.row_text import read_text


def kinds(data: bytes, num_classes: int | None = 2) -> list[tuple[str, int | None, int | None]]:
    return [(fault.kind, fault.line, fault.column) for fault in read_text("a.txt", data, num_classes, DEFAULT).faults]


# text of one row -> the fault at it, and its column
ROWS: dict[bytes, tuple[str, int]] = {
    b"0 0.5 x 0.2 0.2": ("not-numeric", 7),
    b"<html>": ("not-numeric", 1),
    b"0, 0.5, 0.5, 0.2, 0.2": ("separator", 1),
    b"0;0.5;0.5;0.2;0.2": ("separator", 1),
    b"0 0,5 0,5 0,2 0,2": ("decimal-comma", 3),
    b"0 0.5 0.5 0.2 1_0": ("number-form", 15),
    "0 0.5 0.5 ０.2 0.2".encode(): ("number-form", 11),
    "0 0.5 0.5 0.٢ 0.2".encode(): ("number-form", 11),
    b"0 nan 0.5 0.2 0.2": ("not-finite", 3),
    b"0 0.5 0.5 -INF 0.2": ("not-finite", 11),
    b"0 0.5 0.5 1e400 0.2": ("not-finite", 11),
    b"1e400 0.5 0.5 0.2 0.2": ("not-finite", 1),
    b"# a comment": ("comment-row", 1),
    b"class x y w h": ("header-row", 1),
    "0 0.5\u20280.5 0.2 0.2".encode(): ("line-separator", 6),
    b"0 0.5 0.5 0.2 0.2\x0b1 0.5 0.5 0.2 0.2": ("line-separator", 18),
    "0\u00a00.5 0.5 0.2 0.2".encode(): ("odd-blank", 2),
    "0 0.5 0.5 0.2 0.2\u2028".encode(): ("odd-blank", 18),
    b"0 0.5 0.5 0.2 0.2\r1 0.5 0.5 0.2 0.2": ("bare-carriage-return", 18),
    b"0 0.5 \xff0.5 0.2 0.2": ("not-utf8", 7),
    b"0 0.5 0.5 0.2\0\0": ("nul-bytes", 14),
    b"0.5 0.5 0.2 0.2": ("column-count", 13),
    b"0 0.5 0.5 0.2 0.2 0.9": ("column-count", 19),
    b"0": ("column-count", 1),
    b"0 .1 .1 .4 .1 .4 .4": ("polygon-row", 1),
    b"0 .1 .1 .4 .1 .4 .4 .1 .4": ("corner-row", 1),
    b"0 .5 .5 .2 .2 .4 .4 2": ("pose-row", 15),
    b"0 .5 .5 .2 .2" + b" .4 .4 2" * 4: ("pose-row", 15),
    b"1 2 3 4 5 6 7 8 plane 0": ("dota-row", 17),
    b"0.5 0.5 0.5 0.2 0.2": ("class-not-integer", 1),
    b"cat 0.5 0.5 0.2 0.2": ("class-not-integer", 1),
    b"1.0 0.5 0.5 0.2 0.2": ("class-decimal", 1),
    b"-1 0.5 0.5 0.2 0.2": ("class-out-of-range", 1),
    b"2 0.5 0.5 0.2 0.2": ("class-out-of-range", 1),
    b"16777217 0.5 0.5 0.2 0.2": ("class-out-of-range", 1),
    b"0 32 24 10 12": ("pixel-coordinates", 3),
    b"0 0.5 0.5 0.2 20": ("pixel-coordinates", 15),
    b"0 1.005 0.5 0.2 0.2": ("centre-outside", 3),
    b"0 0.5 -0.01 0.2 0.2": ("centre-outside", 7),
    b"0 0.5 0.5 0.2 1.5": ("size-above-one", 15),
    b"0 0.5 0.5 0 0.2": ("size-not-positive", 11),
    b"0 0.5 0.5 0.2 -0.1": ("size-not-positive", 15),
    b"0 0.5 0.5 1e-60 0.2": ("size-not-positive", 11),
    b"0 .1 .1 .4 .1 .4 1.1": ("point-outside", 18),
    b"0 .1 .1 .4 .1 .7 .1": ("size-not-positive", 3),
}  # fmt: skip


@pytest.mark.parametrize("text", ROWS, ids=lambda text: text.decode("utf-8", "backslashreplace").encode("unicode_escape").decode())
def test_one_row_one_fault(text: bytes) -> None:
    kind, column = ROWS[text]
    # that a row is a polygon is told beside what is wrong with it
    others = [found for found in kinds(text) if found[0] != "polygon-row" or kind == "polygon-row"]
    assert others == [(kind, 1, column)]


def test_two_faults_of_one_row_are_both_told() -> None:
    assert [kind for kind, _, _ in kinds(b"7 0.5 0.5 0.2 1.5")] == ["class-out-of-range", "size-above-one"]


@pytest.mark.parametrize(
    "text", [b"0 0.5 0.5 0.25 0.5", b"\t1  .5 1 1. 1e-1 ", b"0 5e-1 0.5 +0.2 0.2\r", b"00 1 0 1 1", b"0 0.5 0.5 1.00000001 0.2"]
)
def test_clean_rows(text: bytes) -> None:
    assert kinds(text) == []
    assert parse_row(1, text, 2, 100).form == "box"


def test_unknown_number_of_classes_has_a_sane_bound() -> None:
    assert kinds(b"99999 0.5 0.5 0.2 0.2", None) == []
    assert kinds(b"100000 0.5 0.5 0.2 0.2", None) == [("class-huge", 1, 1)]


def test_polygon_becomes_the_rectangle_around_it() -> None:
    row = parse_row(1, b"1 .1 .2 .5 .2 .5 .8", 2, 100)
    assert row.box() == pytest.approx((0.3, 0.5, 0.4, 0.6))


def test_blanks_between_rows_and_at_the_end() -> None:
    row = b"0 0.5 0.5 0.2 0.2\n"
    assert kinds(row + b"\n" + row) == [("blank-line", 2, 1)]
    assert kinds(row + b" \t\n" + row) == [("whitespace-line", 2, 1)]
    assert kinds(row + b" \n\n\n") == []
    assert kinds(b" \n\t\n") == [("whitespace-only-file", None, None)]
    assert kinds(b"") == []


def test_encodings_of_a_file() -> None:
    text = "0 0.5 0.5 0.2 0.2\n"
    assert kinds(text.encode("utf-16")) == [("not-utf8", 1, 1)]
    assert kinds(text.encode("utf-16-le")) == [("not-utf8", 1, 1)]
    assert kinds(b"\xef\xbb\xbf" + text.encode()) == [("byte-order-mark", 1, 1)]


@pytest.mark.parametrize(("order", "line"), [("bp", 2), ("pb", 2), ("bbpp", 3), ("pbp", 2)])
def test_mixed_rows_stand_at_the_first_row_of_the_other_form(order: str, line: int) -> None:
    rows = {"b": b"0 .5 .5 .2 .2\n", "p": b"0 .1 .1 .4 .1 .4 .4 .1 .4 .2 .3\n"}
    assert [place for kind, place, _ in kinds(b"".join(rows[form] for form in order)) if kind == "mixed-rows"] == [line]
