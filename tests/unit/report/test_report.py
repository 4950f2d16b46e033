from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import made_comparisons
import made_inspections
import made_runs
import pytest

from detloss_cli.facts import Facts
from detloss_cli.finding import Finding, Where
from detloss_cli.inputs.limits import UNREAD_KINDS
from detloss_cli.inputs.relative import relative
from detloss_cli.report import json_format
from detloss_cli.report.document import SCHEMA_VERSION, document
from detloss_cli.report.look import Look
from detloss_cli.report.report import build

SCHEMA = json.loads((Path(json_format.__file__).parent / "schema.json").read_text())
RUNS = {
    "yolov5": made_runs.yolov5(),
    "keras": made_runs.keras_yolo3(),
    "centernet": made_runs.centernet(),
    "targets": made_inspections.targets(),
    "labels": made_inspections.label_run()[0],
    "hyp": made_inspections.hyp(),
    "compare": made_comparisons.compared_runs(),
    "sweep": made_comparisons.swept(),
    "sweep of two": made_comparisons.swept_twice(),
}


def finding(severity: str = "error", path: str | None = "a.txt", line: int = 1, rule: str = "column-count") -> Finding:
    where = None if path is None else Where(path, line, 1)
    return Finding("DET120", rule, severity, "words", where)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", RUNS)
def test_schema_holds(name: str) -> None:
    facts = RUNS[name]
    jsonschema.validate(document(build(facts.command, facts, made_inspections.label_run()[1])), SCHEMA)


def test_schema_refuses_what_breaks_the_contract() -> None:
    good = document(build("compute", RUNS["yolov5"], []))
    for path in (("totals", "total"), ("levels",), ("settings", "origins"), ("summary", "exit_code"), ("tool", "name")):
        bad = json.loads(json.dumps(good))
        holder = bad
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = "wrong"
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(bad, SCHEMA)


def test_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA_VERSION.split(".")[0] == SCHEMA["properties"]["schema_version"]["pattern"][1]


def test_contract_keys_of_compute() -> None:
    body = document(build("compute", RUNS["yolov5"], []))
    assert set(body) >= {"data", "settings", "labels", "levels", "assignment", "gains", "terms", "totals", "marks", "findings", "summary"}
    assert set(body["totals"]) == {"box", "obj", "cls", "total", "batch_factor", "batches"}
    assert set(body["marks"]) == {"prior", "base_rate", "perfect"}
    assert body["assignment"]["unassigned"]["count"] == sum(body["assignment"]["unassigned"]["by_reason"].values())
    assert "assignment" not in document(build("inspect labels", RUNS["labels"], []))


def test_marks_have_the_names_of_the_contract() -> None:
    loss = made_runs.loss([("box", "P3", 1.0, 1.0, 3)], {"base-rate": (0.5,)})
    body = document(build("compute", made_runs.yolov5(loss=loss), []))
    assert set(body["marks"]) == {"prior", "base_rate"}


def test_not_a_number_is_null() -> None:
    text = json_format.render(build("compute", RUNS["centernet"], []), Look())
    body = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    assert body["totals"]["offset"] is None
    assert body["totals"]["heatmap"] == pytest.approx(24.061)


def test_json_is_ascii_without_control_characters() -> None:
    name = b"caf\xe9".decode("utf-8", "surrogateescape")
    text = json_format.render(build("x", None, [finding(path=f"{name}\x1b\x7f\u202e.txt")]), Look())
    assert text.isascii()
    assert not [c for c in text if (ord(c) < 0x20 and c != "\n") or ord(c) == 0x7F]
    assert json.loads(text)["findings"][0]["path"] == "caf\\xe9\x1b\x7f\u202e.txt"


def test_findings_are_sorted_and_counted() -> None:
    everything = [finding(path="b.txt", line=9), finding(path=None), finding(path="b.txt", line=2), finding("info", "a.txt")]
    report = build(None, None, reversed(everything))
    assert [(f.where.path, f.where.line) if f.where else None for f in report.findings] == [("a.txt", 1), ("b.txt", 2), ("b.txt", 9), None]
    assert (report.summary.errors, report.summary.warnings, report.summary.infos) == (3, 0, 1)


def test_a_rule_lists_so_many_and_counts_the_rest() -> None:
    many = [finding(line=line) for line in range(1, 8)] + [finding("info", rule="other")]
    report = build(None, None, many, max_findings=5)
    own = [f for f in report.findings if f.rule == "column-count"]
    assert [f.where.line if f.where else None for f in own] == [1, 2, 3, 4, 5, None]
    assert own[-1].count == 2
    assert report.summary.errors == 7
    assert len([f for f in build(None, None, many, max_findings=7).findings if f.rule == "column-count"]) == 7


@pytest.mark.parametrize(
    ("severities", "fail_on", "code"),
    [
        ([], "error", 0),
        (["warning"], "error", 0),
        (["error"], "error", 1),
        (["warning"], "warning", 1),
        (["info"], "info", 1),
        (["error"], "never", 0),
    ],
)
def test_exit_code(severities: list[str], fail_on: str, code: int) -> None:
    assert build(None, None, [finding(severity) for severity in severities], fail_on=fail_on).summary.exit_code == code


@pytest.mark.parametrize("rule", sorted(UNREAD_KINDS))
def test_what_was_left_unread_is_4_before_1(rule: str) -> None:
    for fail_on in ("error", "never"):
        assert build(None, None, [finding(rule=rule), finding()], fail_on=fail_on).summary.exit_code == 4
        assert build(None, None, [finding(), finding(rule=rule)], fail_on=fail_on).summary.exit_code == 4


@pytest.mark.parametrize(
    ("path", "shown"),
    [("/data/set/labels/a.txt", "labels/a.txt"), ("/data/set2/a.txt", "/data/set2/a.txt"), ("/data/set", "."), ("hyp.yaml", "hyp.yaml")],
)
def test_paths_below_the_root(path: str, shown: str) -> None:
    assert relative(path, "/data/set") == shown


def test_relative_paths_do_not_depend_on_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "link").symlink_to("set")
    root = str((tmp_path / "set").resolve())
    for folder, path in ((tmp_path, "set/data.yaml"), (tmp_path / "set", "data.yaml"), (tmp_path, "link/data.yaml")):
        monkeypatch.chdir(folder)
        assert relative(path, root) == "data.yaml"


def test_facts_without_data() -> None:
    assert set(document(build("compute", Facts("compute"), []))) == {"schema_version", "tool", "command", "findings", "summary"}
