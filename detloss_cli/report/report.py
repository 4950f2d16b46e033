"""Facts and findings of a run as one value that every format renders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from detloss_cli.errors import FINDINGS, INCOMPLETE, OK
from detloss_cli.finding import RANK, Finding
from detloss_cli.inputs.limits import UNREAD_KINDS
from detloss_cli.inputs.relative import relative

if TYPE_CHECKING:
    from detloss_cli.facts import Facts

MAX_FINDINGS = 1000
NEVER = "never"


@dataclass(frozen=True, slots=True)
class Summary:
    """How many findings there were, the ones not shown included, and how the run ends."""

    errors: int
    warnings: int
    infos: int
    exit_code: int


@dataclass(frozen=True, slots=True)
class Report:
    """One run. command: as typed, `inspect labels`. facts: None where nothing was measured. findings: sorted, with paths relative to the
    root of the data, at most so many a rule. extra: what a command shows beside facts, as plain values by key of the JSON.
    fail_on: lowest severity that makes the run fail, or `never`."""

    command: str | None
    facts: Facts | None
    findings: tuple[Finding, ...]
    summary: Summary
    extra: Mapping[str, Any] = field(default_factory=dict)
    fail_on: str = "error"


def build(
    command: str | None,
    facts: Facts | None,
    findings: Iterable[Finding],
    *,
    fail_on: str = "error",
    max_findings: int = MAX_FINDINGS,
    exit_code: int | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Report:
    """The report of a run.

    Args:
        fail_on: lowest severity that makes the exit code 1, or `never`.
        max_findings: located findings of a rule that are kept; one without a place counts the rest.
        exit_code: where the run has ended for another reason than its findings.
    """
    everything = list(findings)
    number = {severity: sum(_stands_for(finding) for finding in everything if finding.severity == severity) for severity in RANK}
    code = ended(everything, fail_on) if exit_code is None else exit_code
    root = facts.data.root if facts is not None and facts.data is not None else None
    shown = tuple(capped(everything, max_findings, root))
    return Report(command, facts, shown, Summary(number["error"], number["warning"], number["info"], code), extra or {}, fail_on)


def _stands_for(finding: Finding) -> int:
    """One without a place may speak of many."""
    return finding.count if finding.where is None else 1


def ended(findings: Iterable[Finding], fail_on: str) -> int:
    """The exit code that findings earn: 4 if a limit left something unread, 1 at or above `fail_on`, else 0."""
    code = OK
    for finding in findings:
        if finding.rule in UNREAD_KINDS:
            return INCOMPLETE
        if fail_on != NEVER and finding.rank >= RANK[fail_on]:
            code = FINDINGS
    return code


def capped(findings: Sequence[Finding], most: int, root: str | None) -> list[Finding]:
    """Sorted by path and line, paths below `root` without it; of each rule the first `most` with a place, then one without that counts
    the rest."""
    places = {finding.where.path for finding in findings if finding.where is not None}
    names = {path: path if root is None else relative(path, root) for path in places}

    def key(finding: Finding) -> tuple[str, int, int, str]:
        path, line, column, code = finding.sort_key()
        return names.get(path, path), line, column, code

    kept: list[Finding] = []
    seen: dict[str, int] = {}
    last: dict[str, Finding] = {}
    for finding in sorted(findings, key=key):
        if finding.where is not None:
            seen[finding.rule] = seen.get(finding.rule, 0) + 1
            last[finding.rule] = finding
            if seen[finding.rule] > most:
                continue
        kept.append(_named(finding, names))
    for rule, number in sorted(seen.items()):
        if number > most:
            rest = number - most
            kept.append(
                replace(
                    last[rule], message=f"{rest:,} more of {rule}", where=None, hint="--max-findings shows more", count=rest, share=None
                )
            )
    return kept


def _named(finding: Finding, names: Mapping[str, str]) -> Finding:
    if finding.where is None or names[finding.where.path] == finding.where.path:
        return finding
    return replace(finding, where=replace(finding.where, path=names[finding.where.path]))
