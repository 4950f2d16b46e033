"""detloss cache, and the options that every reading command has."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from detloss_cli.cli.main import run
from detloss_cli.inputs import cache_stamps, cached_sizes

SAMPLE = Path(__file__).resolve().parents[2] / "sample_data" / "vegetables" / "data.yaml"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(cache_stamps, "TICK_NS", -(10**12))
    monkeypatch.setattr(cached_sizes, "TICK_NS", -(10**12))
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert run([*arguments, "--format", "json"]) == 0
    out = capsys.readouterr()
    assert out.err == ""
    return json.loads(out.out)["environment"]["cache"]


def test_it_says_where_and_how_much_and_is_emptied(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = str(home / "detloss")
    assert said(capsys, "cache") == {"folder": folder, "files": 0, "bytes": 0}
    assert run(["inspect", "labels", str(SAMPLE), "-o", str(home / "out")]) == 0
    capsys.readouterr()
    size = sum(path.stat().st_size for path in Path(folder).iterdir())
    assert said(capsys, "cache") == {"folder": folder, "files": 1, "bytes": size}
    assert said(capsys, "cache", "size") == {"bytes": size}
    assert said(capsys, "cache", "where") == {"folder": folder}
    assert said(capsys, "cache", "clear") == {"folder": folder, "removed": 1}
    assert os.listdir(folder) == []


def test_only_its_own_files_are_cleared(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = home / "elsewhere"
    mine.mkdir()
    (mine / "thesis.txt").write_text("keep")
    run(["inspect", "labels", str(SAMPLE), "--cache-dir", str(mine), "-o", str(home / "out")])
    capsys.readouterr()
    assert said(capsys, "cache", "clear", "--cache-dir", str(mine))["removed"] == 1
    assert os.listdir(mine) == ["thesis.txt"]


def test_no_cache_leaves_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", "labels", str(SAMPLE), "--no-cache", "-o", str(home / "out")]) == 0
    assert os.listdir(home) == ["out"]


def test_ci_is_strict(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from detloss_cli.cli.cache import chosen

    assert [chosen(None, False, strict).strict for strict in (False, True)] == [False, True]  # type: ignore[union-attr]
    monkeypatch.setenv("CI", "true")
    assert chosen(None, False, False).strict  # type: ignore[union-attr]
    assert chosen(None, True, True) is None


@pytest.mark.parametrize("arguments", [["compute"], ["inspect", "targets"], ["inspect", "labels"]])
def test_every_command_prints_the_same_from_the_cache(arguments: list[str], home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = [*arguments, str(SAMPLE), "--format", "json"]
    printed = []
    for more in (["--no-cache"], [], [], ["--strict-cache"], ["--strict-cache"]):
        code = run([*line, *more])
        printed.append((code, capsys.readouterr()))
    assert all(each == printed[0] for each in printed)
    assert len(os.listdir(home / "detloss")) == (2 if arguments[-1] == "labels" else 3)


def test_an_unknown_action(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cache", "claer"]) == 2
    assert "did you mean clear?" in capsys.readouterr().err


def test_an_edit_right_after_a_run_is_seen(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same size, same time stamps but for the change time, as an editor and `touch -r` leave them."""
    monkeypatch.setattr(cache_stamps, "TICK_NS", 2_000_000_000)
    root = tmp_path / "set"
    (root / "images").mkdir(parents=True)
    (root / "labels").mkdir()
    (root / "data.yaml").write_text("train: images\nval: images\nnames: [cat]\n")
    (root / "images/a.png").write_bytes(b"")
    label = root / "labels/a.txt"
    label.write_text("0 .5 .5 .1 .1\n")
    assert run(["inspect", "labels", str(root / "data.yaml"), "-q"]) == 0
    before = label.stat()
    label.write_text("9 .5 .5 .1 .1\n")
    os.utime(label, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert run(["inspect", "labels", str(root / "data.yaml"), "-q"]) == 1
