"""What has to start fast never imports torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = str(ROOT / "sample_data" / "vegetables" / "data.yaml")
# Calls the console script's function and says on the last line of stderr which of the slow packages it has loaded by its end.
RUN = """
import atexit, json, sys
from detloss_cli.cli.main import main
atexit.register(lambda: print(json.dumps(sorted({"torch", "scipy"} & set(sys.modules))), file=sys.stderr))
sys.argv[0] = "detloss"
sys.exit(main())
"""


def loaded(*arguments: str) -> tuple[int, list[str]]:
    """Exit code of a call, and which slow packages it loaded."""
    done = subprocess.run([sys.executable, "-c", RUN, *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.returncode, json.loads(done.stderr.splitlines()[-1])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--help",), 0),
        (("--version",), 0),
        (("compute", "--help"), 0),
        (("inspect", "targets", "--help"), 0),
        (("inspect", "labels", DATA), 0),
        (("inspect", "labels", DATA, "--format", "json"), 0),
        (("no-such-command",), 2),
        (("compute", "--no-such-option"), 2),
        (("compute", "no/such/data.yaml"), 2),
        (("compute", DATA, "--family", "no-such-family"), 2),
        (("compute", DATA, "--imgsz", "many"), 2),
    ],
    ids=lambda value: " ".join(Path(argument).name for argument in value) if isinstance(value, tuple) else None,
)
def test_starts_without_torch(arguments: tuple[str, ...], code: int) -> None:
    assert loaded(*arguments) == (code, [])


def test_the_loss_is_where_torch_is_loaded() -> None:
    assert loaded("compute", DATA) == (0, ["torch"])


# What costs more to import than the whole of detloss's own start.
HEAVY = ("numpy", "PIL", "yaml", "torch", "scipy")


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("compute", "--help"), ("compute", "--no-such-option"), ("compute", "no/such/data.yaml"), ("no-such-command",)],
    ids=str,
)
def test_help_and_mistakes_load_nothing_heavy(arguments: tuple[str, ...]) -> None:
    script = RUN.replace('{"torch", "scipy"}', repr(set(HEAVY)))
    done = subprocess.run([sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert json.loads(done.stderr.splitlines()[-1]) == []


def test_labels_for_machines_ask_no_terminal() -> None:
    """rich's console costs as much as reading ten thousand label files."""
    script = RUN.replace('{"torch", "scipy"}', '{"rich.console"}')
    command = [sys.executable, "-c", script, "inspect", "labels", DATA, "--format", "json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, json.loads(done.stderr.splitlines()[-1])) == (0, [])


def test_overlaps_of_numpy_boxes_load_no_more_of_numpy() -> None:
    code = """
import sys, numpy
from detloss_cli.geometry.iou import iou
iou(numpy.ones((1, 4)), numpy.ones((1, 4)), frame="cxcywh")
print(sorted({"numpy.f2py", "numpy.testing", "array_api_compat.numpy"} & set(sys.modules)))
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
