"""SARIF 2.1.0, for code scanning: 5,000 results are kept by its readers, so the worst come first and a notice counts the rest."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from detloss_cli import __version__
from detloss_cli.checks.registry import RULES
from detloss_cli.errors import FINDINGS, OK
from detloss_cli.finding import Finding, Severity
from detloss_cli.inputs.baseline import digest
from detloss_cli.report.look import Look
from detloss_cli.report.numbers import count
from detloss_cli.report.places import opened_from_here, root_of, worst_first
from detloss_cli.report.report import Report
from detloss_cli.report.safe import safe

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MOST = 5000
LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def render(report: Report, look: Look) -> str:
    """One run. Paths are relative to the working folder. What stopped a run before there was a report is no result, but a notification."""
    stopped = report.findings if report.command is None else ()
    ordered, root = worst_first([] if stopped else report.findings), root_of(report)
    shown = ordered[:MOST]
    codes = sorted({finding.code for finding in shown})
    invocation: dict[str, Any] = {"executionSuccessful": report.summary.exit_code in (OK, FINDINGS), "exitCode": report.summary.exit_code}
    told = [_notification(finding.severity, _stop(finding)) for finding in stopped]
    if len(ordered) > MOST:
        told.append(_notification("warning", f"and {count(len(ordered) - MOST)} more: detloss --format jsonl has them all"))
    if told:
        invocation["toolExecutionNotifications"] = told
    run = {
        "tool": {"driver": {"name": "detloss", "version": __version__, "rules": [_rule(code, shown) for code in codes]}},
        "invocations": [invocation],
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, codes.index(finding.code), root) for finding in shown],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _notification(severity: Severity, text: str) -> dict[str, Any]:
    return {"level": LEVELS[severity], "message": {"text": text}}


def _stop(finding: Finding) -> str:
    """The line that stands on stderr as well."""
    place = f"{finding.where.path}: " if finding.where is not None else ""
    return safe(place + _worded(finding))


def _worded(finding: Finding) -> str:
    return f"{finding.message} ({finding.hint})" if finding.hint else finding.message


def _rule(code: str, findings: Sequence[Finding]) -> dict[str, Any]:
    """A rule with its manual page, where it has one."""
    if code not in RULES:
        return {"id": code, "name": next(finding.rule for finding in findings if finding.code == code)}
    rule = RULES[code]
    return {
        "id": code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.manual},
        "help": {"text": rule.manual},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
    }


def _result(finding: Finding, index: int, root: str | None) -> dict[str, Any]:
    text = {"text": safe(_worded(finding))}
    result: dict[str, Any] = {"ruleId": finding.code, "ruleIndex": index, "level": LEVELS[finding.severity], "message": text}
    where = finding.where
    if where is not None:
        place: dict[str, Any] = {"artifactLocation": {"uri": _uri(opened_from_here(where.path, root))}}
        if where.line is not None:
            place["region"] = {"startLine": where.line} | ({"startColumn": where.column} if where.column is not None else {})
        result["locations"] = [{"physicalLocation": place}]
    result["partialFingerprints"] = {"detloss/v1": digest(f"{where.path if where else ''} {finding.rule} {finding.message}")}
    return result


def _uri(path: str) -> str:
    """A relative reference, or a file URI; bytes that are no UTF-8 as they are on disk."""
    quoted = quote(os.fsencode(path))
    return f"file://{quoted}" if os.path.isabs(path) else f"./{quoted}" if ":" in quoted.split("/")[0] else quoted
