"""detloss from Python: the facts of the command line, nothing loaded before it is needed, and the README's lines run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import detloss_cli
from detloss_cli.cli import main as entry
from detloss_cli.errors import DetlossError

ROOT = Path(__file__).resolve().parents[2]
DATA = str(ROOT / "sample_data" / "vegetables" / "data.yaml")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_importing_loads_nothing() -> None:
    code = "import sys, detloss_cli; print(detloss_cli.__version__, sorted({'torch', 'numpy', 'typer'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == f"{detloss_cli.__version__} []\n"
    code = f"import sys; from detloss_cli import inspect_labels; inspect_labels({DATA!r}); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT).stdout == "False\n"


def test_every_name_is_there() -> None:
    assert all(callable(getattr(detloss_cli, name)) for name in detloss_cli.__all__)
    assert set(detloss_cli.WHERE) == set(detloss_cli.__all__)
    with pytest.raises(AttributeError):
        detloss_cli.no_such_thing  # noqa: B018


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hyp": "scratch-low", "model": "yolov5s"}, ["--hyp", "scratch-low", "--model", "yolov5s"]),
        ({"imgsz": 320, "gr": 0.5, "batch_size": 4}, ["--imgsz", "320", "--gr", "0.5", "--batch-size", "4"]),
        ({"imgsz": (256, 320), "classes": [0, 2], "what_if": "focal"}, ["--imgsz", "256x320", "--classes", "0,2", "--what-if", "focal"]),
    ],
)
def test_the_same_facts_as_on_the_command_line(options: dict[str, Any], words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    said = detloss_cli.document(*detloss_cli.compute(DATA, **options))
    entry.run(["compute", DATA, *words, "--format", "json", "--no-cache"])
    assert json.loads(json.dumps(said)) == json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sets": "box=0.1"}, ["box=0.1"]),
        ({"sets": ["box=0.1", "cls=0.7"]}, ["box=0.1", "cls=0.7"]),
        ({"set": ("box=0.1", "cls=0.7")}, ["box=0.1", "cls=0.7"]),
        ({"set": "box=0.1", "sets": ("cls=0.7",)}, ["box=0.1", "cls=0.7"]),
    ],
)
def test_settings_as_one_text_or_several(options: dict[str, Any], words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    said = detloss_cli.document(*detloss_cli.compute(DATA, **options))
    entry.run(["compute", DATA, *words, "--format", "json", "--no-cache"])
    assert json.loads(json.dumps(said)) == json.loads(capsys.readouterr().out)


def test_a_setting_that_nobody_knows_is_refused() -> None:
    with pytest.raises(DetlossError, match="bx"):
        detloss_cli.compute(DATA, sets="bx=1")


def test_the_other_commands(capsys: pytest.CaptureFixture[str]) -> None:
    for name, call in (("labels", detloss_cli.inspect_labels), ("targets", detloss_cli.inspect_targets)):
        said = detloss_cli.document(*call(DATA))
        entry.run(["inspect", name, DATA, "--format", "json", "--no-cache"])
        assert json.loads(json.dumps(said)) == json.loads(capsys.readouterr().out)


def test_mistakes_are_errors_with_a_way_out() -> None:
    with pytest.raises(detloss_cli.DetlossError, match="is not known"):
        detloss_cli.compute(DATA, family="yolov99")
    with pytest.raises(detloss_cli.DetlossError, match="DATA is missing"):
        detloss_cli.compute()
    with pytest.raises(TypeError, match="no_such_option"):
        detloss_cli.compute(DATA, no_such_option=1)


def test_the_readme_lines_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert len([line for line in block.splitlines() if line]) <= 10
    monkeypatch.chdir(ROOT)
    logged: list[tuple[dict[str, float], int]] = []

    class Tracker:
        def log(self, numbers: dict[str, float], step: int) -> None:
            logged.append((numbers, step))

    def compute_loss(outputs: Any, targets: Any) -> Any:
        return outputs

    scope: dict[str, Any] = {"tracker": Tracker(), "compute_loss": compute_loss}
    exec(compile(block, "README.md", "exec"), scope)
    assert capsys.readouterr().out
    assert len(logged) > 1
    assert all("loss/total" in numbers for numbers, _ in logged)
    assert type(scope["compute_loss"]).__name__ == "Tap"
