"""Each command of docs/needs.md is run on data that has the problem, and says what the page promises."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from detloss_cli.cli import main as entry

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| (?P<number>\d+) \| (?P<question>[^|]+) \| `detloss (?P<command>[^`]+)` \| `(?P<answer>[^`]+)` \|$", re.MULTILINE)
TEXT = (ROOT / "docs" / "needs.md").read_text(encoding="utf-8")
ROWS = [match.groupdict() for match in ROW.finditer(TEXT)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['number']} {row['question']}")
def test_the_command_says_it(row: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "80")
    assert entry.run([*shlex.split(row["command"]), "--no-cache"]) in {0, 1}
    assert row["answer"] in capsys.readouterr().out


def test_every_row_of_the_table_is_read() -> None:
    assert len(ROWS) == sum(line.startswith("| ") and not line.startswith("| |") for line in TEXT.splitlines())
    numbers = [int(row["number"]) for row in ROWS]
    assert numbers == sorted(numbers)
