"""Findings as a table for spreadsheets: a row a finding, and no cell that a spreadsheet would compute."""

from __future__ import annotations

import csv
import io

from detloss_cli.finding import Finding
from detloss_cli.report.look import Look
from detloss_cli.report.report import Report
from detloss_cli.report.safe import safe

COLUMNS = ("code", "rule", "severity", "path", "line", "column", "message", "hint", "count", "share")
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render(report: Report, look: Look) -> str:
    """RFC 4180 but for line ends, which are LF alone."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_row(finding) for finding in report.findings)
    return stream.getvalue()


def _row(finding: Finding) -> list[str]:
    where = finding.where
    place = (where.path, where.line, where.column) if where is not None else (None, None, None)
    cells = (finding.code, finding.rule, finding.severity, *place, finding.message, finding.hint, finding.count, finding.share)
    return [_cell(cell) for cell in cells]


def _cell(value: object) -> str:
    """Text as it is, with a quote before what a spreadsheet takes for a formula; numbers bare."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    return f"'{safe(text)}" if text.startswith(FORMULA) else safe(text)
