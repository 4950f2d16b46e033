"""Each format for machines is read back by a parser that is not ours, or held to the schema of its reader."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

import jsonschema
import junitparser
import made_runs
import pytest
from markdown_it import MarkdownIt
from sarif_pydantic import Sarif

from detloss_cli.facts.gate import GateFacts
from detloss_cli.finding import Finding, Where
from detloss_cli.inputs.thresholds import read_thresholds
from detloss_cli.report import formats
from detloss_cli.report.csv_format import COLUMNS
from detloss_cli.report.document import document
from detloss_cli.report.look import Look
from detloss_cli.report.markdown_format import text as as_markdown
from detloss_cli.report.report import Report, build

HERE = Path(__file__).parent
ROOT = made_runs.ROOT
HOSTILE = "-=cmd|'a'!A1,%0A::error::x\x00\x1b[2J\r\n::warning::<b>&amp;]]>\udc80\uffff"
GITHUB = re.compile(r"::(error|warning|notice)( [a-z]+=[^,:]*(,[a-z]+=[^,:]*)*)?::(.*)")
# GitLab's documentation lists these keys as required for a report of code quality.
GITLAB = {
    "type": "array",
    "items": {
        "type": "object",
        "additionalProperties": False,
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^[^/].*$"},
                    "lines": {"type": "object", "required": ["begin"], "properties": {"begin": {"type": "integer", "minimum": 1}}},
                },
            },
        },
    },
}


def finding(
    severity: str = "error", path: str | None = "labels/a.txt", line: int | None = 3, message: str = "words", **more: object
) -> Finding:
    code = {"error": "DET120", "warning": "DET402", "info": "DET245"}[severity]
    rule = {"error": "column-count", "warning": "slot-collision", "info": "unused-names"}[severity]
    where = Where(f"{ROOT}/{path}", line, None if line is None else 2) if path is not None else None
    return Finding(code, rule, severity, message, where, **more)  # type: ignore[arg-type]


FINDINGS = [
    finding(hint="repair it"),
    finding(line=None, message="the file"),
    finding("warning", share=0.25, count=4),
    finding("info", path=None),
    finding(path=HOSTILE.replace("\x00", "").replace("\r\n", "/"), message=HOSTILE, hint=HOSTILE),
]


def report(findings: list[Finding], fail_on: str = "error") -> Report:
    thresholds, _ = read_thresholds({"max-unassigned": "0"})
    facts = replace(made_runs.yolov5(), command="check", gate=GateFacts(thresholds))
    return build("check", facts, findings, fail_on=fail_on)


def shown(name: str, findings: list[Finding], fail_on: str = "error") -> str:
    text = formats.load(name).render(report(findings, fail_on), Look())
    assert text.endswith("\n")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\ud800-\udfff]", text)
    return text


@pytest.mark.parametrize("name", formats.MODULES)
def test_nothing_found_and_nothing_measured(name: str) -> None:
    assert shown(name, [])
    formats.load(name).render(build(None, None, []), Look())


def test_jsonl_lines_are_the_findings_of_json() -> None:
    lines = [json.loads(line) for line in shown("jsonl", FINDINGS).splitlines()]
    whole = document(report(FINDINGS))
    assert [line.pop("kind") for line in lines] == ["finding"] * len(FINDINGS) + ["summary"]
    assert lines[:-1] == whole["findings"]
    assert lines[-1] == {key: whole[key] for key in ("schema_version", "tool", "command")} | whole["summary"]


def test_csv_is_read_back_and_computes_nothing() -> None:
    rows = list(csv.DictReader(io.StringIO(shown("csv", FINDINGS)), strict=True))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == len(FINDINGS)
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    hostile = next(row for row in rows if "cmd" in row["message"])
    assert hostile["message"].startswith("'-=cmd|")
    assert {row["share"] for row in rows} == {"", "0.25"}


@pytest.mark.parametrize(("fail_on", "failures"), [("error", 3), ("warning", 4), ("info", 5), ("never", 0)])
def test_junit_fails_where_the_run_does(fail_on: str, failures: int) -> None:
    suites = junitparser.JUnitXml.fromstring(shown("junit", FINDINGS, fail_on).encode())
    cases = [case for suite in suites for case in suite]
    assert (suites.tests, suites.failures, len(cases)) == (5, failures, 5)
    assert sum(isinstance(result, junitparser.Failure) for case in cases for result in case.result) == failures
    suites.update_statistics()
    assert (suites.tests, suites.failures, suites.errors) == (5, failures, 0)


def test_junit_without_findings_is_a_test_that_passes() -> None:
    suites = junitparser.JUnitXml.fromstring(shown("junit", []).encode())
    assert (suites.tests, suites.failures) == (1, 0)


def test_github_commands_are_commands_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = shown("github", FINDINGS).splitlines()
    commands = [line for line in lines if line.startswith("::")]
    assert len(commands) == len(FINDINGS)
    assert all(GITHUB.fullmatch(command) for command in commands)
    assert f"::error file={ROOT}/labels/a.txt,title=DET120 column-count::the file" in commands
    assert lines[-1] == "detloss: 3 errors, 1 warning, 1 info"


def test_github_shows_ten_of_each_severity_the_worst_and_most_various_first() -> None:
    many = [finding(path=f"labels/{n:02}.txt") for n in range(30)] + [finding("warning")] * 10
    other = replace(finding(path="labels/zz.txt"), rule="corner-row", code="DET122")
    commands = [line for line in shown("github", [*many, other]).splitlines() if line.startswith("::")]
    errors = [command for command in commands if command.startswith("::error")]
    assert len(errors) == 10
    assert "corner-row" in errors[1]
    assert errors[-1] == "::error title=detloss::and 22 more: detloss --format text lists them"
    assert sum(command.startswith("::warning") for command in commands) == 10


@pytest.mark.parametrize("name", ["github", "sarif", "gitlab"])
def test_paths_are_those_of_the_working_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "set").mkdir()
    monkeypatch.chdir(tmp_path)
    data = replace(made_runs.data(), root=str(tmp_path / "set"), path="set/data.yaml")
    facts = replace(made_runs.yolov5(), data=data)
    found = Finding("DET120", "column-count", "error", "words", Where(str(tmp_path / "set" / "labels" / "ä b.txt"), 3, 1))
    text = formats.load(name).render(build("check", facts, [found]), Look())
    assert "set/labels/ä b.txt" in unquote(text.encode().decode("unicode_escape") if name == "gitlab" else text)
    assert str(tmp_path) not in text


def test_gitlab_keeps_to_its_documentation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.makedirs(tmp_path / "set")
    facts = replace(made_runs.yolov5(), data=replace(made_runs.data(), root=str(tmp_path)))
    found = [replace(one, where=Where(f"{tmp_path}/a.txt", 3)) if one.where else one for one in [*FINDINGS, FINDINGS[0]]]
    issues = json.loads(formats.load("gitlab").render(build("check", facts, found), Look()))
    jsonschema.validate(issues, GITLAB)
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == 6


def test_sarif_keeps_to_the_standard() -> None:
    text = shown("sarif", FINDINGS)
    body = json.loads(text)
    jsonschema.validate(body, json.loads((HERE / "sarif_subset.json").read_text()))
    parsed = Sarif.model_validate_json(text)
    results = parsed.runs[0].results or []
    assert len(results) == len(FINDINGS)
    driver = body["runs"][0]["tool"]["driver"]
    assert [driver["rules"][one["ruleIndex"]]["id"] for one in body["runs"][0]["results"]] == [one.rule_id for one in results]
    assert [one["level"] for one in body["runs"][0]["results"]] == ["error"] * 3 + ["warning", "note"]


def test_sarif_keeps_five_thousand_and_counts_the_rest() -> None:
    rules = [replace(finding(path=f"labels/{n}.txt"), rule=f"rule-{n % 7}") for n in range(5600)]
    body = json.loads(shown("sarif", [*rules, finding("warning")]))
    jsonschema.validate(body, json.loads((HERE / "sarif_subset.json").read_text()))
    run = body["runs"][0]
    assert len(run["results"]) == 5000
    assert {one["level"] for one in run["results"]} == {"error"}
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].startswith("and 601 more")


def test_markdown_is_a_page_that_nothing_foreign_can_shape() -> None:
    text = shown("markdown", FINDINGS)
    assert "**3 errors, 1 warning, 1 info**" in text
    assert "| boxes without a positive |" in text
    assert "<b>" not in text
    assert as_markdown("a|b `c` [x](y) @team <img> *z*") == (
        "a&#124;b &#96;c&#96; &#91;x&#93;&#40;y&#41; &#64;team &#60;img&#62; &#42;z&#42;"
    )
    cells = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in cells} == {5}


def test_markdown_is_parsed_as_headings_lists_and_one_table_and_nothing_else() -> None:
    tokens = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table").parse(shown("markdown", FINDINGS))
    every = [inner for token in tokens for inner in (token, *(token.children or ()))]
    kinds = {token.type.removesuffix("_open").removesuffix("_close") for token in every}
    assert kinds == {
        "heading",
        "inline",
        "text",
        "paragraph",
        "strong",
        "bullet_list",
        "list_item",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    }
    rows = [token for token in tokens if token.type == "tr_open"]
    cells = [token for token in tokens if token.type in ("th_open", "td_open")]
    assert len(cells) == 4 * len(rows) > 4
    items = [token for token in tokens if token.type == "list_item_open"]
    assert len(items) >= len(FINDINGS)
    assert any(HOSTILE.split("\x00")[0] in (token.content or "") for token in every if token.type == "text")


def test_markdown_stays_below_what_a_summary_may_have() -> None:
    many = [finding(path=f"labels/{'x' * 200}{n}.txt", message="y" * 300) for n in range(1000)]
    assert len(shown("markdown", many)) < 20_000
