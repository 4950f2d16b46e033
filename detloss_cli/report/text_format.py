"""The screen as plain text: no colour, every finding, and nothing that the encoding cannot hold."""

from __future__ import annotations

from detloss_cli.report.look import Look
from detloss_cli.report.report import MAX_FINDINGS, Report
from detloss_cli.report.screen import screen

# What our own words and tables use beyond ASCII, in as many columns.
ASCII = str.maketrans(
    {"·": "-", "─": "-", "▇": "#", "²": "2", "×": "x", "≥": ">", "≤": "<", "–": "-", "—": "-", "…": "."}
    | dict(zip("▁▂▃▄▅▆█", "_.-=+*@", strict=True))
)


def render(report: Report, look: Look) -> str:
    """Lines without trailing blanks."""
    text = "".join(f"{line.plain.rstrip()}\n" for line in screen(report, look.width, MAX_FINDINGS + 1))
    return fitting(text, look.encoding)


def fitting(text: str, encoding: str) -> str:
    r"""The text as an encoding can write it: our own signs in ASCII, other people's characters as `\uNNNN`."""
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return text.translate(ASCII).encode("ascii", "backslashreplace").decode("ascii")
    return text
