"""GitLab Code Quality: a list of issues, each with a fingerprint that stays while the finding stays."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from typing import Any

from detloss_cli.finding import Finding
from detloss_cli.report.look import Look
from detloss_cli.report.places import opened_from_here, root_of
from detloss_cli.report.report import Report
from detloss_cli.report.safe import safe

SEVERITIES = {"error": "major", "warning": "minor", "info": "info"}


def render(report: Report, look: Look) -> str:
    """Paths are relative to the working folder, the checkout of a job; what stands at no file stands at DATA."""
    root, seen = root_of(report), Counter[str]()
    data = report.facts.data.path if report.facts is not None and report.facts.data is not None else "."
    issues = [_issue(finding, root, data, seen) for finding in report.findings]
    return json.dumps(issues, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _issue(finding: Finding, root: str | None, data: str, seen: Counter[str]) -> dict[str, Any]:
    where = finding.where
    path = safe(opened_from_here(where.path, root) if where is not None else opened_from_here(data, None))
    key = f"{path}\n{finding.rule}\n{safe(finding.message)}"
    seen[key] += 1
    return {
        "description": safe(f"{finding.message} ({finding.hint})" if finding.hint else finding.message),
        "check_name": f"{finding.code} {finding.rule}",
        "fingerprint": hashlib.sha256(f"{key}\n{seen[key]}".encode()).hexdigest(),
        "severity": SEVERITIES[finding.severity],
        "location": {"path": path, "lines": {"begin": where.line if where is not None and where.line is not None else 1}},
    }
