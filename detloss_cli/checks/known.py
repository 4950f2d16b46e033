"""Findings of an earlier run, found again: by path, rule and the row they stand at, whatever line that is in by now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from detloss_cli.finding import Finding
from detloss_cli.inputs.baseline import Key, digest
from detloss_cli.inputs.limits import UNREAD_KINDS
from detloss_cli.inputs.lines import Lines
from detloss_cli.inputs.relative import relative


def known(findings: Iterable[Finding], root: str | None) -> Counter[Key]:
    """How often each finding is there.

    Args:
        root: what their paths are taken relative to.
    """
    return Counter(key for key, _ in _keyed(findings, root))


def fresh(findings: list[Finding], root: str | None, before: Mapping[Key, int]) -> tuple[list[Finding], int, int]:
    """Findings that were not there before, how many were, and how many of those are gone. What a limit left unread is always told."""
    left = Counter(before)
    found = []
    for key, finding in _keyed(findings, root):
        if left[key] > 0 and finding.rule not in UNREAD_KINDS:
            left[key] -= 1
        else:
            found.append(finding)
    return found, len(findings) - len(found), sum(left.values())


def _keyed(findings: Iterable[Finding], root: str | None) -> Iterator[tuple[Key, Finding]]:
    """A finding that stands at no row is known by its words."""
    lines = Lines()
    for finding in sorted(findings, key=Finding.sort_key):
        where = finding.where
        path = "" if where is None else relative(where.path, root) if root is not None else where.path
        row = lines.at(where.path, where.line) if where is not None and where.line is not None else None
        yield (path, finding.rule, digest(finding.message if row is None else row)), finding
