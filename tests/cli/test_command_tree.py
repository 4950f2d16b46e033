"""Commands that are only listed say what their pages say, and shells complete the options of those that are not typed yet."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from detloss_cli.cli.app import FIRST, INSPECT, REST
from detloss_cli.cli.main import run

DETLOSS = Path(sys.executable).with_name("detloss")


@pytest.mark.parametrize(("name", "entry"), [*FIRST.items(), *INSPECT.items(), *REST.items()])
def test_a_list_of_commands_says_what_their_pages_begin_with(name: str, entry: tuple[str, str]) -> None:
    module, words = entry
    page = inspect.getdoc(getattr(import_module(f"detloss_cli.cli.{module}"), module)) or ""
    assert words == " ".join(page.split("\n\n")[0].split())


def test_a_list_of_commands_builds_no_options() -> None:
    script = "import sys; from detloss_cli.cli.main import run; run(['--help']); print('detloss_cli.cli.options' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown.splitlines()[-1] == "False"
    assert "compute" in shown


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("detloss comp", {"compute", "compare"}),
        ("detloss compute --img", {"--imgsz"}),
        ("detloss inspect tar", {"targets"}),
        ("detloss inspect labels --strict-", {"--strict-cache"}),
    ],
)
def test_shells_complete_commands_and_options(line: str, wanted: set[str]) -> None:
    words = {"_DETLOSS_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1)}
    shown = subprocess.run([DETLOSS], env={**os.environ, **words}, capture_output=True, text=True, check=False).stdout
    assert set(shown.split()) == wanted


def test_a_near_name_is_found_among_listed_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cmpute"]) == 2
    assert "did you mean compute?" in capsys.readouterr().err
