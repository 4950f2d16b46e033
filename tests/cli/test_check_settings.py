"""Where `detloss check` has its bounds from: command line, environment, configuration; and what is no such thing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from check_runs import Run, as_json

from detloss_cli.cli import main as entry

BAD_CONFIG = """max-unasigned: 1%
max-collisions: many
min-bpr: 98
fail-on: [error]
max-share: 60%
select: DET4
"""


def test_a_bad_configuration_is_2_and_tells_everything_at_once(check: Run) -> None:
    Path("detloss.yaml").write_text(BAD_CONFIG)
    code, out, err = check("vegetables/data.yaml")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "detloss: detloss.yaml:1:1: max-unasigned: no such setting, did you mean max-unassigned?",
        "detloss: detloss.yaml:2:1: max-collisions: 'many' is no bound, write a number such as 20, or a part such as 0.5%",
        "detloss: detloss.yaml:3:1: min-bpr: '98' is more than all of it, write 98% or a number from 0 to 1",
        "detloss: detloss.yaml:4:1: fail-on: wants one value",
        "detloss: detloss.yaml:5:1: max-share: wants terms or levels with their bounds: {obj: 60%}",
    ]
    code, out, _ = check("vegetables/data.yaml", "--format", "json")
    assert (code, len(json.loads(out)["findings"])) == (2, 5)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("detloss.yaml", "- a\n", "it has to be a mapping"),
        ("detloss.yaml", "a: b: c\n", "detloss.yaml:1:"),
        ("detloss.yaml", "seed: 1\nseed: 2\n", "duplicate key"),
        ("pyproject.toml", "[tool.detloss]\nmax-unassigned = \n", "no TOML"),
        ("pyproject.toml", "[tool.detloss]\noutput = 'x'\n", "output: no such setting"),
        ("pyproject.toml", "[tool]\ndetloss = 1 # [tool.detloss]\n", "is no table"),
    ],
)
def test_no_configuration_at_all_is_2(name: str, text: str, words: str, check: Run) -> None:
    Path(name).write_text(text)
    code, _, err = check("vegetables/data.yaml")
    assert code == 2
    assert words in err


def test_every_command_that_reads_data_minds_the_configuration(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("detloss.yaml").write_text("imgsz: 320\ndata: vegetables/data.yaml\n")
    assert entry.run(["inspect", "targets", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["imgsz"] == [320, 320]
    Path("detloss.yaml").write_text("imgsize: 320\n")
    assert entry.run(["inspect", "targets", str(data)]) == 2
    assert entry.run(["explain", "DET601"]) == 0


def test_bad_bounds_on_the_command_line_are_told_at_once(check: Run) -> None:
    code, _, err = check("vegetables/data.yaml", "--max-unassigned", "x", "--min-share", "obj")
    assert code == 2
    assert [line.split(":")[1] for line in err.splitlines()] == [" --max-unassigned", " --min-share"]


def test_command_line_before_environment_before_configuration(check: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("pyproject.toml").write_text('[tool.detloss]\nmax-collisions = 1\ndata = "vegetables/data.yaml"\nmax-share = {obj = "99%"}\n')
    assert as_json(check)[0] == 1
    monkeypatch.setenv("DETLOSS_MAX_COLLISIONS", "100")
    assert as_json(check)[0] == 0
    assert as_json(check, "--max-collisions", "2")[0] == 1
    Path("detloss.yaml").write_text("max-collisions: 3\n")
    monkeypatch.delenv("DETLOSS_MAX_COLLISIONS")
    assert check()[0] == 2  # detloss.yaml holds, and it names no data
    assert as_json(check, "vegetables/data.yaml", "--config", "pyproject.toml")[1]["too-many-collisions"] == 1
