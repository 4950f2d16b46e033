"""The bytes of one label file, line by line: the exact path that explains every row."""

from __future__ import annotations

from dataclasses import dataclass, field

from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.limits import Limits
from detloss_cli.inputs.row import Row, parse_row

UTF8_BOM = b"\xef\xbb\xbf"
WIDE_BOMS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


@dataclass(slots=True)
class FileReading:
    """One label file as it stands.

    rows: every line that was read, blank ones too. faults: of the file and its rows. complete: False if a limit cut it short.
    """

    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    complete: bool = True

    @property
    def written(self) -> list[Row]:
        """The rows that are not blank."""
        return [row for row in self.rows if row.form != "blank"]


def read_text(path: str, data: bytes, num_classes: int | None, limits: Limits) -> FileReading:
    """Read one label file. Never raises: what cannot be read is a fault.

    Args:
        path: goes into the faults.
        data: the whole file.
        num_classes: C, None if unknown.
    """
    reading = FileReading()
    wide = WIDE_BOMS.get(data[:2]) or ("UTF-16" if _looks_wide(data) else None)
    if wide:
        lines = data.split(b"\n")
        reading.rows = [Row(n, "none") for n, raw in enumerate(lines, 1) if raw.strip(b" \t\r\0")]
        reading.faults.append(Fault("not-utf8", path, 1, 1, "", wide))
        return reading
    if data.startswith(UTF8_BOM):
        data = data[len(UTF8_BOM) :]
        reading.faults.append(Fault("byte-order-mark", path, 1, 1, "\ufeff"))
    lines = data.split(b"\n", limits.rows)
    if len(lines) > limits.rows and lines[-1]:
        reading.faults.append(Fault("too-many-rows", path, limits.rows + 1, 1, "", str(limits.rows)))
        reading.complete = False
    for number, raw in enumerate(lines[: limits.rows], 1):
        if len(raw) > limits.line_bytes:
            reading.rows.append(Row(number, "none"))
            reading.faults.append(Fault("line-too-long", path, number, 1, raw[:40].decode("utf-8", "replace"), str(len(raw))))
            reading.complete = False
            continue
        row = parse_row(number, raw, num_classes, limits.names)
        reading.rows.append(row)
        reading.faults.extend(fault.at(path, number) for fault in row.faults if fault.kind != "whitespace-line")
    _blank_lines(path, reading, bool(data))
    _mixed_rows(path, reading)
    return reading


def _looks_wide(data: bytes) -> bool:
    """True for UTF-16 without a mark: every other byte of the start is NUL."""
    head = data[:64]
    return len(head) >= 8 and (not any(head[1::2]) or not any(head[0::2])) and any(head)


def _blank_lines(path: str, reading: FileReading, has_bytes: bool) -> None:
    """Blanks matter between rows only: at the end of a file every loader strips them."""
    written = reading.written
    if not written:
        if has_bytes and reading.complete:
            reading.faults.append(Fault("whitespace-only-file", path, None, None, ""))
        return
    last = written[-1].line
    for row in reading.rows:
        if row.form != "blank" and row.doubled and row.line < last:
            reading.faults.append(Fault("blank-line", path, row.line, 1, "\r"))
        if row.form == "blank" and row.line < last:
            kind = "whitespace-line" if row.faults else "blank-line"
            reading.faults.append(Fault(kind, path, row.line, 1, row.faults[0].token[:80] if row.faults else ""))


def _mixed_rows(path: str, reading: FileReading) -> None:
    forms = [row for row in reading.rows if row.form in ("box", "polygon")]
    other = next((row for row in forms if row.form != forms[0].form), None)
    if other is not None:
        boxes = sum(row.form == "box" for row in forms)
        detail = f"{boxes} box and {len(forms) - boxes} polygon rows"
        reading.faults.append(Fault("mixed-rows", path, other.line, 1, "", detail))
