"""--limit as a user types it: on every command that reads, in detloss.yaml, in the environment; said with the option when it is hit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from detloss_cli.cli import main as entry

Hit = Callable[..., tuple[int, list[Any]]]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "labels").mkdir()
    for name, rows in (("a", 1), ("b", 3)):
        (tmp_path / "labels" / f"{name}.txt").write_text("".join(f"0 .{n + 2} .5 .1 .1\n" for n in range(rows)))
    (tmp_path / "data.yaml").write_text("path: .\ntrain: labels\nval: labels\nnames: [one]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def hit(data: Path, capsys: pytest.CaptureFixture[str]) -> Hit:
    """The exit code, and rule and hint of each finding whose hint speaks of the option."""

    def run(*words: str) -> tuple[int, list[Any]]:
        code = entry.run([*words, "--format", "json"])
        findings = json.loads(capsys.readouterr().out)["findings"]
        return code, [(found["rule"], found["hint"]) for found in findings if "--limit" in str(found["hint"])]

    return run


TOO_MANY = [("too-many-rows", "look whether rows repeat, or --limit rows=4")]


def test_on_the_command_line_and_again_with_what_the_hint_says(hit: Hit) -> None:
    for _ in range(2):  # the second time from the cache, where there is one
        assert hit("inspect", "labels", "data.yaml", "--limit", "rows=2") == (4, TOO_MANY)
        assert hit("inspect", "labels", "data.yaml", "--limit", "rows=4")[1] == []
    assert hit("check", "data.yaml", "limit=rows=2") == (4, TOO_MANY)


def test_settled_by_the_project_and_the_environment(
    data: Path, hit: Hit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "detloss.yaml").write_text("limit:\n  rows: 2\n")
    assert hit("inspect", "labels", "data.yaml") == (4, TOO_MANY)
    assert hit("inspect", "labels", "data.yaml", "--limit", "rows=9")[1] == []
    assert entry.run(["env", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["environment"]["limits"]["rows"] == "2"
    assert entry.run(["env", "--limit", "rows=9"]) == 0
    assert "rows         9\n" in capsys.readouterr().out
    monkeypatch.setenv("DETLOSS_LIMIT", "rows=9,names=5")
    assert hit("inspect", "labels", "data.yaml")[1] == []


@pytest.mark.parametrize("words", [("compute", "data.yaml"), ("inspect", "targets", "data.yaml"), ("inspect", "anchors", "data.yaml")])
def test_what_was_left_unread_is_no_success(hit: Hit, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    code, found = hit(*words, "--limit", "rows=2")
    assert code == 4
    assert found == TOO_MANY
    for own, said in (("rows=2", "3 boxes · not all read"), ("rows=3", "4 boxes · all read")):
        entry.run([*words, "--limit", own, "--format", "text"])
        assert said in capsys.readouterr().out


@pytest.mark.parametrize("loader", ["strict", "yolov5-7.0", "keras-yolo3"])
def test_no_loader_sees_what_is_not_read(data: Path, loader: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run(["compute", "data.yaml", "--loader", loader, "--limit", "rows=2", "--format", "json"]) == 4
    told = json.loads(capsys.readouterr().out)
    assert told["labels"]["kept"] == told["assignment"]["boxes"] == 3


@pytest.mark.parametrize(
    "words",
    [
        ("inspect", "hyp", "hyp.yaml"),
        ("preflight", "python train.py --hyp hyp.yaml --data data.yaml --weights yolov5s.pt"),
        ("check", "data.yaml", "--hyp", "hyp.yaml"),
    ],
)
def test_yaml_of_more_bytes(data: Path, hit: Hit, words: tuple[str, ...]) -> None:
    (data / "hyp.yaml").write_text("box: 0.05\n" + "# long\n" * 100)
    own = ("--limit", "yaml-bytes=500")
    code, found = hit(*((words[0], *own, *words[1:]) if words[0] == "preflight" else (*words, *own)))
    assert code == 1
    assert found == [("yaml-too-large", "names of that many classes belong into --names FILE, or --limit yaml-bytes=1KiB")]


def test_a_name_that_is_none_is_one_line_with_those_that_are(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.run(["compute", str(data / "data.yaml"), "--limit", "weight=3"]) == 2
    error = " ".join(capsys.readouterr().err.split())
    assert "no limit is called 'weight'" in error
    assert "label-bytes=16MiB, line-bytes=64KiB, list-bytes=1GiB, rows=100000" in error
