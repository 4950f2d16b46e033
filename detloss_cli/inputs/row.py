"""One line of a label file, read token by token: what it holds and everything that is wrong with it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from detloss_cli.inputs.row_fault import RowFault
from detloss_cli.inputs.row_values import check_box, check_class, check_polygon

Form = Literal["box", "polygon", "blank", "none"]

NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?\Z", re.ASCII)
NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)\Z", re.ASCII | re.IGNORECASE)
TOKEN = re.compile(r"\S+")
# str.splitlines() ends a line at each of these, and so do the loaders built on it.
SEPARATORS = re.compile("[\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+\Z", re.ASCII)
WORD = re.compile(r"[^\W\d][\w-]*\Z")


@dataclass(slots=True)
class Row:
    """One line of a label file.

    line: 1-based. form: what it could be read as. columns: tokens. cls: class id, None if it has none.
    values: the coordinates, four for a box, x y pairs for a polygon, empty if it is neither. faults: in the order of the columns.
    doubled: it ends in more than one carriage return, so that text mode sees empty lines behind it.
    """

    line: int
    form: Form
    columns: int = 0
    cls: int | None = None
    values: tuple[float, ...] = ()
    faults: list[RowFault] = field(default_factory=list)
    doubled: bool = False

    def box(self) -> tuple[float, float, float, float]:
        """Centre x, centre y, width, height in 0..1; of a polygon, those of the rectangle around its points."""
        if self.form == "box":
            cx, cy, w, h = self.values
            return cx, cy, w, h
        xs, ys = self.values[0::2], self.values[1::2]
        return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2, max(xs) - min(xs), max(ys) - min(ys)


def parse_row(line: int, raw: bytes, num_classes: int | None, max_class: int) -> Row:
    """Read one line. Never raises.

    Args:
        line: its 1-based number.
        raw: its bytes without the LF; a CR before it may still be there.
        num_classes: C, None if unknown.
        max_class: the largest class id that is believed where C is unknown.
    """
    row = Row(line, "none")
    if b"\0" in raw:
        row.faults.append(RowFault("nul-bytes", raw.index(b"\0") + 1, "\0", f"{raw.count(0)} NUL bytes in {len(raw)}"))
        return row
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        column = len(raw[: error.start].decode("utf-8", "replace")) + 1
        row.faults.append(RowFault("not-utf8", column, raw[error.start : error.start + 20].decode("utf-8", "surrogateescape")))
        return row
    body = text.strip()
    if not body:
        row.form = "blank"
        if text.strip("\r"):
            row.faults.append(RowFault("whitespace-line", 1, text.rstrip("\r")))
        return row
    row.doubled = text.endswith("\r\r")
    _odd_blanks(row, text, body)
    tokens = [(match.start() + 1, match.group()) for match in TOKEN.finditer(text)]
    row.columns = len(tokens)
    if not any(fault.kind in {"bare-carriage-return", "line-separator"} for fault in row.faults):
        _read_tokens(row, body, tokens, num_classes, max_class)
    return row


def _odd_blanks(row: Row, text: str, body: str) -> None:
    start = text.index(body)
    if "\r" in body:
        row.faults.append(RowFault("bare-carriage-return", start + body.index("\r") + 1, "\r"))
    elif found := SEPARATORS.search(body):
        row.faults.append(RowFault("line-separator", start + found.start() + 1, found.group()))
    else:
        for column, char in enumerate(text, 1):
            if char.isspace() and char not in " \t\r":
                row.faults.append(RowFault("odd-blank", column, char))
                break


def _read_tokens(row: Row, body: str, tokens: list[tuple[int, str]], num_classes: int | None, max_class: int) -> None:
    words = [word for _, word in tokens]
    bad = [n for n, word in enumerate(words) if not NUMBER.match(word)]
    if bad:
        row.faults.append(_not_numbers(row.line, body, tokens, bad))
        return
    numbers = [float(word) for word in words]
    infinite = next((n for n, value in enumerate(numbers) if value in (float("inf"), float("-inf"))), None)
    if infinite is not None:
        row.faults.append(RowFault("not-finite", *tokens[infinite], "too large for a number"))
        return
    kind, detail = _form(words, numbers)
    if kind is not None and kind not in {"polygon-row", "corner-row"}:
        row.faults.append(RowFault(kind, *tokens[5 if len(tokens) > 5 else -1], detail))
        return
    row.form = "polygon" if kind else "box"
    row.values = tuple(numbers[1:])
    row.cls = check_class(row.faults, tokens[0], num_classes, max_class)
    if kind:
        row.faults.append(RowFault(kind, tokens[0][0], body[:80], detail))
        check_polygon(row.faults, tokens, row.values)
    else:
        check_box(row.faults, tokens, row.values)
    if len(row.faults) > 1 and row.faults[-1].kind == "pixel-coordinates" and row.faults[0].kind == "class-out-of-range":
        # the id is then most likely a pixel as well: one word on the row, not two
        pixel = row.faults.pop()
        row.faults[0] = RowFault(pixel.kind, pixel.column, pixel.token, f"class {tokens[0][1]} is out of range as well")


def _form(words: list[str], numbers: list[float]) -> tuple[str | None, str]:
    """What a row of numbers is by its columns: a rule's name and a word on it, None for a box."""
    count = len(words)
    if count == 5:
        return None, ""
    if count >= 8 and (count - 5) % 3 == 0 and (count >= 14 or count % 2 == 0) and all(v in (0.0, 1.0, 2.0) for v in numbers[7::3]):
        return "pose-row", f"a box and {(count - 5) // 3} key points"
    if count == 9:
        return "corner-row", "four corners"
    if count >= 7 and count % 2:
        return "polygon-row", f"{count // 2} points"
    return "column-count", f"{count} columns" + (": a prediction with its confidence" if count == 6 else "")


def _not_numbers(line: int, body: str, tokens: list[tuple[int, str]], bad: list[int]) -> RowFault:
    """The one fault that explains a row that holds more than plain numbers."""
    words = [word for _, word in tokens]
    first = tokens[bad[0]]
    if body.startswith(("#", "//", "%")):
        return RowFault("comment-row", *tokens[0])
    if all(NOT_FINITE.match(words[n]) for n in bad):
        return RowFault("not-finite", *first)
    if all(DECIMAL_COMMA.match(words[n]) for n in bad) and len(words) >= 5:
        return RowFault("decimal-comma", *first)
    if re.search("[,;|]", body) and all(NUMBER.match(part) for part in re.split(r"[,;|\s]+", body.strip(",;| ")) if part):
        column, word = next(token for token in tokens if re.search("[,;|]", token[1]))
        return RowFault("separator", column, word)
    if all(_python_reads(words[n]) for n in bad):
        return RowFault("number-form", *first)
    if len(words) in (9, 10) and bad[0] == 8:
        return RowFault("dota-row", *first, "eight corner values, then the class name")
    if bad == [0] and len(words) >= 5:
        return RowFault("class-not-integer", *first, "a name where the id belongs")
    if line == 1 and len(words) > 1 and all(WORD.match(word.strip(",;")) for word in words):
        return RowFault("header-row", *tokens[0])
    return RowFault("not-numeric", *first)


def _python_reads(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
