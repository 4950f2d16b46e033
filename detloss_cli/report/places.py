"""Findings for machines that show a few of many, at paths that they can open."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Sequence

from detloss_cli.finding import Finding
from detloss_cli.inputs.relative import relative
from detloss_cli.report.report import Report


def opened_from_here(path: str, root: str | None) -> str:
    """A path of a report, relative to the working folder where it lies below it, with `/`; else absolute."""
    whole = path if root is None or os.path.isabs(path) else os.path.join(root, path)
    return relative(os.path.abspath(whole), os.path.realpath(os.curdir))


def root_of(report: Report) -> str | None:
    """The folder that the paths of a report are relative to, None where they are as typed."""
    return report.facts.data.root if report.facts is not None and report.facts.data is not None else None


def worst_first(findings: Sequence[Finding]) -> list[Finding]:
    """By severity; among equals one of each rule first, then a second of each, so that the first few show what there is."""
    seen: dict[str, int] = defaultdict(int)
    ranked = []
    for finding in findings:
        ranked.append((-finding.rank, seen[finding.rule], finding.sort_key(), finding))
        seen[finding.rule] += 1
    return [finding for *_, finding in sorted(ranked, key=lambda item: item[:3])]
