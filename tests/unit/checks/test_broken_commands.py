"""Samples that need more than labels: the command in each trips the rule that it is named after and no other error; its cure silences it.

A folder holds `command`, the words behind `detloss`, and `fixed/`, files to put in the place of its own.
"""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest

from detloss_cli.checks.registry import BY_NAME
from detloss_cli.cli import main as entry

BROKEN = Path(__file__).parents[3] / "sample_data" / "broken"
NAMES = sorted(path.parent.name for path in BROKEN.glob("*/command"))
# Errors that are the cause: what a loader does with a row that is wrong, a loss that is infinite for a box without a height.
ALSO = {
    "infinite-loss": {"size-not-positive"},
    "loader-accepts": {"centre-outside"},
    "loader-drops-image": {"column-count"},
    "loader-misreads": {"mixed-rows"},
    "loader-stops": {"class-out-of-range"},
    "loader-takes-for-background": {"not-numeric"},
}
# Rules without a sample that can be kept as a few small files, and the test that makes what they need.
ELSEWHERE = {
    **dict.fromkeys(("not-a-file", "unreadable-file", "changed-during-scan", "symlink"), "unit/inputs/test_files.py"),
    **dict.fromkeys(("symlink-loop", "symlink-folder", "dangling-link", "leaves-root"), "unit/inputs/test_unread_files.py"),
    **dict.fromkeys(("label-too-big", "too-many-rows", "too-many-files", "folder-too-deep"), "unit/inputs/test_unread_files.py"),
    "annotation-converted": "unit/inputs/test_convert.py",
    "unreadable-folder": "faults/test_disk.py",
    "list-too-big": "faults/test_changing_files.py",
    "yaml-too-large": "unit/inputs/test_yaml_text.py",
    "prediction-file-too-big": "unit/predictions/test_open_file.py",
    **dict.fromkeys(("prediction-dump-invalid", "loss-differs-from-trainer"), "unit/predictions/test_replay.py"),
    **dict.fromkeys(("gradient-not-finite", "gradient-vanished", "background-like-boxes"), "unit/checks/test_head_rules.py"),
    **dict.fromkeys(("answers-saturated", "class-taken-for-another", "objectness-like-constant"), "unit/checks/test_head_rules.py"),
    "term-above-step-0": "unit/checks/test_head_rules.py",
}


@pytest.fixture
def sample(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / request.param
    shutil.copytree(BROKEN / request.param, folder)
    monkeypatch.chdir(folder)
    return folder


def found(sample: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, str]]:
    """The exit code, and the severity of each rule that the sample's command names."""
    code = entry.run([*shlex.split((sample / "command").read_text()), "--no-cache", "--format", "json"])
    return code, {finding["rule"]: finding["severity"] for finding in json.loads(capsys.readouterr().out)["findings"]}


@pytest.mark.parametrize("sample", NAMES, indirect=True)
def test_it_trips_and_its_cure_silences_it(sample: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = sample.name
    code, rules = found(sample, capsys)
    errors = {rule for rule, severity in rules.items() if severity == "error"}
    assert rules[name] == BY_NAME[name].severity
    assert errors - {name} == ALSO.get(name, set())
    assert (code == 0) is (not errors)
    shutil.copytree(sample / "fixed", sample, dirs_exist_ok=True)
    code, rules = found(sample, capsys)
    assert (code, [rule for rule, severity in rules.items() if severity == "error" or rule == name]) == (0, [])


def test_every_rule_has_its_sample_or_a_test_that_makes_one() -> None:
    samples = {path.name for path in BROKEN.iterdir()}
    assert set(BY_NAME) - samples == set(ELSEWHERE)
    assert not samples - set(BY_NAME)
    for rule, test in ELSEWHERE.items():
        assert {"prediction-file-too-big": "TOO_BIG"}.get(rule, rule) in (Path(__file__).parents[2] / test).read_text(), (
            f"{test} does not name {rule}"
        )
