"""A folder with the sample data to work in, and the command as a user calls it there."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from check_runs import Ran, Run
from cli_runs import Command

from detloss_cli.cli import main as entry

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "sample_data" / "vegetables", tmp_path / "vegetables")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DETLOSS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def detloss(home: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: str) -> tuple[int, str, str]:
        code = entry.run(list(arguments))
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def data(home: Path) -> Path:
    """The sample set; the folder that holds it is the working folder."""
    return home / "vegetables"


@pytest.fixture
def check(data: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> Ran:
        code = entry.run(["check", *(arguments or ()), "--no-cache"])
        out, err = capsys.readouterr()
        return code, out, err

    return run
