"""The shape of the package is a test: who may import whom, and what no module does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import import_rules as rules
import pytest

# Imports what it is told to and says on the last line what was opened for writing, made or connected to on the way.
WATCHED_IMPORT = """
import importlib, os, sys
for name in ("torch", "typer", "rich.console", "pydantic", "yaml", "PIL.Image", "safetensors", "array_api_compat.torch"):
    importlib.import_module(name)
seen = []
def watch(event, args):
    if event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        seen.append(f"opens {args[0]} for writing")
    elif event in ("os.mkdir", "os.remove", "os.rename", "socket.connect", "subprocess.Popen", "os.putenv"):
        seen.append(f"{event} {args[:1]}")
sys.addaudithook(watch)
for name in sys.argv[1:]:
    importlib.import_module(name)
sys.exit("; ".join(seen))
"""
# One offence each; every rule has to see its own.
PLANTED: list[tuple[Callable[[rules.Module], Iterator[str]], str, str]] = [
    (rules.layer_order, "geometry.iou", "from detloss_cli.losses import bce"),
    (rules.layer_order, "targets.matcher", "def f():\n    from detloss_cli import losses"),
    (rules.layer_order, "report.table", "import detloss_cli.cli.main"),
    (rules.layer_order, "somewhere.new", "x = 1"),
    (rules.relative_imports, "losses.bce", "from . import focal"),
    (rules.torch_where_none_is_needed, "inputs.rows", "def f():\n    import torch.nn as nn"),
    (rules.torch_where_none_is_needed, "checks.bpr", "from torch import nn"),
    (rules.torch_at_import_of_cli, "cli.main", "import torch"),
    (rules.prints, "report.table", "def f():\n    print(1)"),
    (rules.asserts, "inputs.rows", "def f(x):\n    assert x"),
    (rules.empty_names, "inputs.utils", ""),
    (rules.too_long, "inputs.rows", "x = 1\n" * 301),
    (rules.device_in_the_maths, "losses.bce", "def f(t):\n    return t.to('cuda:0')"),
    (rules.device_in_the_maths, "targets.x", "def f(t):\n    return 1 if t.is_cuda else 0"),
    (rules.acts_at_import, "losses.bce", "import torch\ntorch.set_num_threads(1)"),
    (rules.acts_at_import, "engine.pool", "import os\nos.environ['A'] = 'b'"),
    (rules.module_state, "families.table", "SEEN = {}\ndef f(x):\n    SEEN[x] = 1"),
    (rules.module_state, "families.table", "SEEN = []\ndef f(x):\n    SEEN.append(x)"),
    (rules.module_state, "families.table", "COUNT = 0\ndef f():\n    global COUNT\n    COUNT = 1"),
]


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_package_keeps(rule: Callable[[rules.Module], Iterator[str]]) -> None:
    assert [offence for module in rules.modules() for offence in rule(module)] == []


@pytest.mark.parametrize(("rule", "name", "text"), PLANTED, ids=lambda value: getattr(value, "__name__", None))
def test_a_planted_offence_is_seen(rule: Callable[[rules.Module], Iterator[str]], name: str, text: str) -> None:
    assert len(list(rule(rules.parse(name, text)))) == 1


def test_a_planted_lean_on_another_family_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "families").mkdir()
    (tmp_path / "families" / "yolov7.py").write_text('ID = "yolov7"\n')
    monkeypatch.setattr(rules, "ROOT", tmp_path)
    text = 'from detloss_cli.families import yolov7\nID = "yolov7_ota"\n'
    assert len(list(rules.families_apart(rules.parse("families.yolov7_ota", text)))) == 1


def test_what_is_allowed_is_left_alone() -> None:
    text = """
from detloss_cli.errors import DetlossError
TABLE = {"a": 1}
def f(x):
    TABLE = []
    TABLE.append(x)
    raise DetlossError(x)
"""
    assert [offence for rule in rules.RULES for offence in rule(rules.parse("losses.bce", text))] == []


def test_torch_stays_out_of_the_torch_free_folders() -> None:
    names = [f"{rules.PACKAGE}.{module.name}" for module in rules.modules() if module.part in rules.TORCH_FREE]
    code = "import importlib, sys\nfor name in sys.argv[1:]:\n    importlib.import_module(name)\nsys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code, *names]).returncode == 0


def test_importing_everything_writes_nothing(tmp_path: Path) -> None:
    names = [f"{rules.PACKAGE}.{module.name}" for module in rules.modules() if not module.name.endswith("__main__")]
    done = subprocess.run([sys.executable, "-B", "-c", WATCHED_IMPORT, *names], cwd=tmp_path, capture_output=True, text=True)
    assert done.stderr.strip() == ""
    assert list(tmp_path.iterdir()) == []
