"""Findings by rule, worst first: what, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from detloss_cli.finding import Finding
from detloss_cli.report.numbers import count, many
from detloss_cli.report.report import Summary
from detloss_cli.report.safe import safe

# Which command lists the findings of a code, by its first digits.
MORE = {
    "1": "inspect labels",
    "2": "inspect labels",
    "3": "inspect labels",
    "35": "inspect hyp",
    "36": "inspect hyp",
    "4": "inspect targets",
}
COLORS = {"error": "red", "warning": "yellow", "info": "blue"}


def findings_count(findings: Sequence[Finding], width: int) -> Iterator[Text]:
    """A line a rule, for screens that are about something else: the finding itself if there is one, else the command that lists them."""
    yield Text("")
    for own in _by_rule(findings):
        line, more = _title(own), MORE.get(own[0].code[3:5], MORE.get(own[0].code[3:4], ""))
        if len(own) == 1:
            yield line.append_text(_place(own[0], with_hint=True))
        elif line.cell_len + len(more) + 2 <= width:
            yield line.append(" " * (width - line.cell_len - len(more)) + more, style="not bold dim")
        else:
            yield line


def findings_list(findings: Sequence[Finding], summary: Summary, most: int) -> Iterator[Text]:
    """Up to `most` places a rule. Lines are not cut: a path has to be whole to be opened."""
    for own in _by_rule(findings):
        yield Text("")
        yield _title(own)
        hints = dict.fromkeys(finding.hint for finding in own if finding.hint)
        for finding in own[:most]:
            yield _place(finding, with_hint=len(hints) > 1)
        hidden = sum(finding.count if finding.where is None else 1 for finding in own[most:])
        if hidden:
            yield Text(f"  and {count(hidden)} more: --format text lists them", style="dim")
        if len(hints) == 1:
            yield Text(f"  -> {safe(next(iter(hints)) or '')}", style="green")
    yield Text("")
    yield _sum(summary)


def _by_rule(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Findings of one rule together, the worst rule first."""
    rules: dict[str, list[Finding]] = {}
    for finding in findings:
        rules.setdefault(finding.rule, []).append(finding)
    return sorted(rules.values(), key=lambda own: -max(finding.rank for finding in own))


def _title(own: Sequence[Finding]) -> Text:
    worst = max(own, key=lambda finding: finding.rank)
    number = sum(1 if finding.where is not None else finding.count for finding in own)
    line = Text(f"{worst.severity} ", style=f"bold {COLORS[worst.severity]}").append(
        f"{worst.code} {safe(worst.rule)}", style="bold default"
    )
    return line.append(f"  {count(number)}" if number > 1 else "", style="not bold dim")


def _place(finding: Finding, *, with_hint: bool) -> Text:
    line = Text("  ")
    if finding.where is not None:
        numbers = [str(number) for number in (finding.where.line, finding.where.column) if number is not None]
        line.append(":".join([safe(finding.where.path), *numbers]), style="not bold cyan").append("  ")
    line.append(safe(finding.message), style="not bold default")
    return line.append(f"  -> {safe(finding.hint)}", style="not bold green") if with_hint and finding.hint else line


def _sum(summary: Summary) -> Text:
    parts = [
        (many(summary.errors, "error"), "error"),
        (many(summary.warnings, "warning"), "warning"),
        (many(summary.infos, "info"), "info"),
    ]
    line = Text("")
    for (text, severity), number in zip(parts, (summary.errors, summary.warnings, summary.infos), strict=True):
        line.append(", " if line else "").append(text, style=COLORS[severity] if number else "dim")
    return line
