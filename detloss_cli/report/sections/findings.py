"""Findings by rule, worst first: what, where, and what to do."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace

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
    "37": "inspect anchors",
    "4": "inspect targets",
    "45": "inspect anchors",
}
OF_LOSS = "46"  # compute alone has them, and lists them
FEW = 6
COLORS = {"error": "red", "warning": "yellow", "info": "blue"}


def more_of(code: str) -> str:
    """The command that lists the findings of a code, else the one that explains it."""
    own = f"explain {code}"
    return own if code[3:5] == OF_LOSS else MORE.get(code[3:5], MORE.get(code[3:4], own))


def findings_count(findings: Sequence[Finding], width: int) -> Iterator[Text]:
    """A line a rule, for screens that are about something else: the finding itself if there is one, else the command that lists them.

    A few that stand at no file are listed here: no other command has them.
    """
    yield Text("")
    for own in _by_rule(findings):
        line, more = _title(own), more_of(own[0].code)
        if len(own) == 1:
            yield line.append_text(_place(own[0], with_hint=True))
        elif len(own) <= FEW and all(finding.where is None and finding.count == 1 for finding in own):
            yield line
            yield from (_place(finding, with_hint=False) for finding in own)
        elif line.cell_len + len(more) + 2 <= width:
            yield line.append(" " * (width - line.cell_len - len(more)) + more, style="not bold dim")
        else:
            yield line


def findings_list(findings: Sequence[Finding], summary: Summary, most: int, wrap: int | None = None) -> Iterator[Text]:
    """Up to `most` places a rule, and one hint where all agree. No line is cut: a path has to be whole to be opened.

    Args:
        wrap: columns of a terminal, where words that do not fit stand below their place; None for one line a finding.
    """
    for own in _by_rule(findings):
        yield Text("")
        yield _title(own)
        rest = own[-1] if len(own) > 1 and own[-1].where is None and own[0].where is not None else None
        listed = own[:-1] if rest is not None else own
        hints = dict.fromkeys(finding.hint for finding in listed)
        same = wrap is not None and len(listed) > 1 and len(hints) == 1 and len({finding.message for finding in listed}) == 1
        if same:
            yield from _wrapped(listed[0].message, "  ", wrap or 0)
        for finding in listed[:most]:
            yield from [_place(replace(finding, message=""), with_hint=False)] if same else _fitted(finding, len(hints) > 1, wrap)
        hidden = len(listed[most:])
        if hidden:
            yield Text(f"  and {count(hidden + (rest.count if rest is not None else 0))} more: --format text lists them", style="dim")
        elif rest is not None:
            yield Text(f"  and {count(rest.count)} more: --max-findings lists them", style="dim")
        if len(hints) == 1 and (hint := next(iter(hints))):
            yield Text(f"  -> {safe(hint)}", style="green")
    yield Text("")
    yield _sum(summary)


def _by_rule(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Findings of one rule together, the worst rule first, of two that are as bad the more frequent one."""
    rules: dict[str, list[Finding]] = {}
    for finding in findings:
        rules.setdefault(finding.rule, []).append(finding)
    return sorted(rules.values(), key=lambda own: (-max(finding.rank for finding in own), -_number(own)))


def _number(own: Sequence[Finding]) -> int:
    return sum(1 if finding.where is not None else finding.count for finding in own)


def _title(own: Sequence[Finding]) -> Text:
    worst = max(own, key=lambda finding: finding.rank)
    number = _number(own)
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


def _fitted(finding: Finding, with_hint: bool, wrap: int | None) -> Iterator[Text]:
    line = _place(finding, with_hint=with_hint)
    if wrap is None or line.cell_len <= wrap or finding.where is None:
        yield line
        return
    yield _place(replace(finding, message="", hint=None), with_hint=False)
    yield from _wrapped(finding.message, "    ", wrap)
    if with_hint and finding.hint:
        yield from _wrapped(f"-> {finding.hint}", "    ", wrap, style="green")


def _wrapped(text: str, indent: str, width: int, *, style: str = "") -> Iterator[Text]:
    """Words in as many lines as it takes; one that is longer than a line stays whole."""
    parts = textwrap.wrap(safe(text), max(20, width - len(indent)), break_long_words=False, break_on_hyphens=False)
    yield from (Text(indent + part, style=style) for part in parts)


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
