"""Rules about the text of a label file: its encoding, its blanks, its separators."""

from __future__ import annotations

from detloss_cli.checks.quoted import quoted
from detloss_cli.checks.rule import Rule, Words, rule
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.limits import raised


def not_numeric(fault: Fault) -> Words:
    """A row holds something that is no number.

    Every loader gives the whole image up, yolov3-spp without a word. Left-overs of other formats, HTML error pages and merge marks look
    like this.
    """
    if fault.token == "version" and fault.line == 1:
        return "'version' is no number", "if this is a Git LFS pointer: git lfs pull"
    return f"{quoted(fault.token)} is no number", "a row is: class cx cy w h, as fractions of the image"


def separator(fault: Fault) -> Words:
    """Numbers are separated by commas or semicolons.

    Loaders split rows at blanks only, so the row is no row of numbers to them and the image is lost.
    """
    return f"{quoted(fault.token)}: values are separated by blanks, not by commas or semicolons", "replace the separators by blanks"


def decimal_comma(fault: Fault) -> Words:
    """A number has a comma where its decimal point belongs.

    Written under a locale with decimal commas, as of a spreadsheet. No loader reads it, and the image is lost.
    """
    return f"{quoted(fault.token)} has a decimal comma", "write a point: export again under an English locale"


def number_form(fault: Fault) -> Words:
    """A number is written in a way that only Python reads.

    `1_0`, full-width and Arabic digits pass float(), and so every loader, as another number than the one that people see.
    """
    return f"{quoted(fault.token)} is not a plain decimal number", "write it with the digits 0 to 9 and a point"


def not_finite(fault: Fault) -> Words:
    """A value is nan, inf, or too large for a number.

    Comparisons with nan are false, so range checks let it pass; the loss is then nan.
    """
    return f"{quoted(fault.token)} is not finite" + (f", {fault.detail}" if fault.detail else ""), "export the row again or delete it"


def comment_row(fault: Fault) -> Words:
    """A row is a comment.

    Label files know no comments: the loaders give the image up.
    """
    return f"{quoted(fault.token)} starts a comment", "delete the line"


def header_row(fault: Fault) -> Words:
    """The first row names columns.

    Label files have no header: the loaders give the image up.
    """
    return f"the first row is a header: {quoted(fault.token)}", "delete the line"


def blank_line(fault: Fault) -> Words:
    """An empty line stands between rows.

    Loaders pass it over, but the oldest one (yolov3-spp) then takes the image for background.
    """
    if fault.token == "\r":
        return "two carriage returns end the line: an empty line follows to text mode", "save the file with LF or CRLF line ends"
    return "empty line between rows", "delete the line"


def whitespace_line(fault: Fault) -> Words:
    """A line between rows holds blanks only.

    yolov5 and yolov7 count it as a row without columns and drop the image.
    """
    return "line with nothing but blanks between rows", "delete the line"


def odd_blank(fault: Fault) -> Words:
    """A row holds a blank that is neither space nor tab.

    A no-break space or a line separator at the end of a row. Python splits there, so the row is read; other tools stumble.
    """
    return f"{quoted(fault.token)} is used as a blank", "replace it by a space"


def line_separator(fault: Fault) -> Words:
    """A row holds a character that ends a line for Python.

    Loaders split at it and read two rows, each too short; the image is lost, under a line number that no editor shows.
    """
    return f"{quoted(fault.token)} inside the row ends a line for the loaders", "replace it by a space"


def bare_carriage_return(fault: Fault) -> Words:
    """A carriage return without a line feed stands inside a line.

    Text mode reads it as the end of a line, other readers do not: rows depend on the tool. Old Mac files consist of one such line.
    """
    return "carriage return without a line feed", "save the file with LF or CRLF line ends"


def byte_order_mark(fault: Fault) -> Words:
    """The file starts with a UTF-8 byte-order mark.

    ultralytics skips it; for yolov5 and yolov7 it is part of the first class id, and the image is lost.
    """
    what = "path: the trainer does not find that picture" if fault.detail == "list" else "row"
    return f"byte-order mark before the first {what}", "save as UTF-8 without BOM"


def not_utf8(fault: Fault) -> Words:
    """The file, or a row of it, is not UTF-8 text.

    UTF-16 comes from `>` in PowerShell. Loaders stop at the first such byte and drop the image.
    """
    if fault.detail:
        return f"the file is {fault.detail}, not UTF-8 text; nothing of it was read", "save as UTF-8"
    return f"bytes {quoted(fault.token)} are not UTF-8", "save as UTF-8"


def nul_bytes(fault: Fault) -> Words:
    """A row holds NUL bytes.

    What a crashed copy or a full disk leaves behind: the rest of the file is usually lost as well.
    """
    return f"{fault.detail}: the file was not written to its end", "restore the file from its source"


def line_too_long(fault: Fault) -> Words:
    """A line is longer than any row can be, and was not read.

    64 KiB hold a polygon of 3,000 points. The exit code is 4: what the line holds is unknown. `--limit line-bytes=1MiB` moves
    the limit.
    """
    raising = raised("line_bytes", int(fault.detail))
    return f"line of {int(fault.detail):,} bytes, not read", f"look whether this is a label file at all, or {raising}"


RULES: tuple[Rule, ...] = (
    rule("DET101", "error", not_numeric),
    rule("DET102", "error", separator),
    rule("DET103", "error", decimal_comma),
    rule("DET104", "error", number_form),
    rule("DET105", "error", not_finite),
    rule("DET106", "error", comment_row),
    rule("DET107", "error", header_row),
    rule("DET108", "info", blank_line),
    rule("DET109", "warning", whitespace_line),
    rule("DET110", "warning", odd_blank),
    rule("DET111", "error", line_separator),
    rule("DET112", "error", bare_carriage_return),
    rule("DET113", "warning", byte_order_mark),
    rule("DET114", "error", not_utf8),
    rule("DET115", "error", nul_bytes),
    rule("DET116", "error", line_too_long),
)
