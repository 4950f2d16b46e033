"""Markdown for the summary of a job: what was checked, the figures, findings by rule with their first places."""

from __future__ import annotations

import re
from collections.abc import Iterator

from detloss_cli.checks.figures import figures
from detloss_cli.facts import Facts
from detloss_cli.finding import Finding
from detloss_cli.report.look import Look
from detloss_cli.report.numbers import count, many
from detloss_cli.report.report import Report
from detloss_cli.report.safe import safe
from detloss_cli.report.sections.compare import compare_lines
from detloss_cli.report.sections.gate import figure_cells
from detloss_cli.report.sections.verdict import QUIET, outstanding

PLACES = 10
MOST_RULES = 100
UNCUT = 1000  # columns in which every message has room
# Each of them can begin markup, a link, a mention, an emoji, a reference or a table cell.
ACTIVE = re.compile(r"[\\`*_{}\[\]<>()#|~&@:$]")


def render(report: Report, look: Look) -> str:
    """A page that stays far below the megabyte that a summary may have."""
    return "".join(f"{line}\n" for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    number = report.summary
    words = (many(number.errors, "error"), many(number.warnings, "warning"), many(number.infos, "info"))
    yield f"### detloss {report.command or ''}".rstrip()
    yield ""
    yield f"**{', '.join(words)}**"
    if report.facts is not None:
        yield from _facts(report.facts, report)
    yield from _findings(report.findings)


def _facts(facts: Facts, report: Report) -> Iterator[str]:
    if facts.data is not None and facts.labels is not None:
        yield ""
        yield f"{text(facts.data.path)}: {many(facts.labels.images, 'image')}, {many(facts.labels.boxes, 'box', 'boxes')}"
    yield ""
    if facts.compare is not None:
        yield from (f"- {text(line.plain.removeprefix('! ').strip())}" for line in compare_lines(facts.compare, UNCUT))
    else:
        told = outstanding(report.command or "", facts, report.findings, UNCUT)
        yield from (f"- {text(said)}" + (f" → detloss {text(more)}" if more else "") for said, more in told or [(QUIET, "")])
    if facts.gate is not None and figures(facts):
        yield ""
        yield "| figure | now | bound | baseline |"
        yield "|:--|--:|--:|--:|"
        for cells, moved in figure_cells(facts):
            shown = [text(cell) for cell in cells]
            yield f"| {' | '.join([shown[0], f'**{shown[1]}**' if moved else shown[1], *shown[2:]])} |"


def _findings(findings: tuple[Finding, ...]) -> Iterator[str]:
    rules: dict[str, list[Finding]] = {}
    for finding in findings:
        rules.setdefault(finding.rule, []).append(finding)
    ordered = sorted(rules.values(), key=lambda own: -max(finding.rank for finding in own))
    for own in ordered[:MOST_RULES]:
        first = own[0]
        number = sum(1 if finding.where is not None else finding.count for finding in own)
        yield ""
        yield f"**{first.severity}** {first.code} {text(first.rule)}" + (f": {count(number)}" if number > 1 else "")
        yield ""
        yield from (_place(finding) for finding in own[:PLACES])
        if len(own) > PLACES:
            yield f"- and {count(number - PLACES)} more"
    if len(ordered) > MOST_RULES:
        yield ""
        yield f"and {count(len(ordered) - MOST_RULES)} more rules"


def _place(finding: Finding) -> str:
    where = finding.where
    place = ""
    if where is not None:
        place = ":".join([where.path, *(str(number) for number in (where.line, where.column) if number is not None)]) + " "
    hint = f" → {text(finding.hint)}" if finding.hint else ""
    return f"- {text(place + finding.message)}{hint}"


def text(foreign: str) -> str:
    """Text that Markdown shows as it is."""
    return ACTIVE.sub(lambda match: f"&#{ord(match[0])};", safe(foreign))
