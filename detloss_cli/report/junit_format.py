"""JUnit XML: a test case a finding, a failure where the run fails over it. No times, so that the same run gives the same bytes."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from detloss_cli.finding import RANK, Finding
from detloss_cli.report.look import Look
from detloss_cli.report.report import NEVER, Report
from detloss_cli.report.safe import safe

NOT_XML = re.compile("[\ufffe\uffff]")


def render(report: Report, look: Look) -> str:
    """One suite. A run without findings is one test that passed."""
    cases = [_case(finding, report.fail_on) for finding in report.findings]
    if not cases:
        cases = [ElementTree.Element("testcase", {"classname": "detloss", "name": "no findings"})]
    failures = sum(case.find("failure") is not None for case in cases)
    counts = {"tests": str(len(cases)), "failures": str(failures), "errors": "0"}
    suites = ElementTree.Element("testsuites", {"name": "detloss", **counts})
    suite = ElementTree.SubElement(suites, "testsuite", {"name": f"detloss {report.command or ''}".strip(), **counts, "skipped": "0"})
    suite.extend(cases)
    ElementTree.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(suites, encoding="unicode")}\n'


def _case(finding: Finding, fail_on: str) -> ElementTree.Element:
    where = finding.where
    numbers = [str(number) for number in (where.line, where.column) if number is not None] if where is not None else []
    path = where.path if where is not None else "detloss"
    case = ElementTree.Element(
        "testcase", {"classname": _xml(path), "name": " ".join([finding.code, finding.rule, ":".join(numbers)]).strip()}
    )
    place = f"{':'.join([path, *numbers])}: " if where is not None else ""
    text = f"{place}{finding.message}" + (f"\n{finding.hint}" if finding.hint else "")
    if fail_on != NEVER and finding.rank >= RANK[fail_on]:
        failure = ElementTree.SubElement(case, "failure", {"type": finding.severity, "message": _xml(finding.message)})
        failure.text = "\n".join(_xml(line) for line in text.split("\n"))
    else:
        ElementTree.SubElement(case, "system-out").text = "\n".join(_xml(line) for line in [finding.severity, *text.split("\n")])
    return case


def _xml(text: str) -> str:
    return NOT_XML.sub(lambda match: f"\\u{ord(match[0]):04x}", safe(text))
