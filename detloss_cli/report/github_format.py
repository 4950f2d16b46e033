"""Annotations of GitHub Actions. It shows ten a severity and step, so the worst come first and the tenth counts the rest."""

from __future__ import annotations

from detloss_cli.finding import Finding
from detloss_cli.report.look import Look
from detloss_cli.report.numbers import count, many
from detloss_cli.report.places import opened_from_here, root_of, worst_first
from detloss_cli.report.report import Report
from detloss_cli.report.safe import safe

SHOWN = 10
LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


def render(report: Report, look: Look) -> str:
    """A workflow command a line, paths relative to the working folder; last a line for the log."""
    lines = []
    ordered, root = worst_first(report.findings), root_of(report)
    for severity, level in LEVELS.items():
        own = [finding for finding in ordered if finding.severity == severity]
        shown = own if len(own) <= SHOWN else own[: SHOWN - 1]
        lines += [_line(level, finding, root) for finding in shown]
        rest = sum(finding.count if finding.where is None else 1 for finding in own[len(shown) :])
        if rest:
            lines.append(f"::{level} title=detloss::and {count(rest)} more: detloss --format text lists them")
    number = report.summary
    words = (many(number.errors, "error"), many(number.warnings, "warning"), many(number.infos, "info"))
    return "".join(f"{line}\n" for line in [*lines, f"detloss: {', '.join(words)}"])


def _line(level: str, finding: Finding, root: str | None) -> str:
    properties = {}
    if finding.where is not None:
        properties = {
            "file": opened_from_here(finding.where.path, root),
            "line": finding.where.line,
            "col": finding.where.column if finding.where.line is not None else None,
        }
    shown = {**properties, "title": f"{finding.code} {finding.rule}"}
    text = ",".join(f"{key}={_property(str(value))}" for key, value in shown.items() if value is not None)
    message = finding.message + (f"\n{finding.hint}" if finding.hint else "")
    return f"::{level} {text}::" + "%0A".join(_data(line) for line in message.split("\n"))


def _data(text: str) -> str:
    """What the runner undoes; nothing of a message can start a command of its own."""
    return safe(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
