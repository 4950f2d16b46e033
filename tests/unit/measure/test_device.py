"""oneMKL has chosen its kernels before threads compute: the same input gives the same bits in every process."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

import detloss_cli
from detloss_cli.measure import device

# Functions that torch hands to oneMKL's vector mathematics, as methods of tensors or of a namespace.
VECTOR = {"acos", "asin", "atan", "cos", "cosh", "erf", "erfc", "erfinv", "exp", "expm1", "log", "log10", "log1p", "log2"}
VECTOR |= {"sin", "sinh", "sqrt", "tan", "tanh"}
CHILDREN = 3000
# Forked before torch has used a thread, each child makes the first call of a fresh process on two threads at once.
STORM = f"""
import os, numpy as np, torch
from detloss_cli.measure.device import pick

values = torch.from_numpy(np.linspace(0.01, 30, 70_000, dtype=np.float32))

def first_call(write):
    pick("cpu")
    os.write(write, str(hash(torch.log(values).numpy().tobytes())).encode())
    os._exit(0)

found = set()
for _ in range({CHILDREN} // 6):
    pipes = [os.pipe() for _ in range(6)]
    children = [os.fork() or first_call(write) for _, write in pipes]
    for child, (read, write) in zip(children, pipes):
        os.close(write)
        found.add(os.read(read, 64))
        os.close(read)
        os.waitpid(child, 0)
print(len(found), b"" in found)
"""


def _asked(path: Path) -> Iterator[str]:
    """Vector functions that a module calls, but for those of the standard library and of numpy."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in VECTOR:
            whose = node.func.value
            if not (isinstance(whose, ast.Name) and whose.id in {"math", "np"}):
                yield node.func.attr


def test_each_function_that_the_package_asks_for_is_called_first_by_one_thread() -> None:
    asked = {name for path in Path(detloss_cli.__file__).parent.rglob("*.py") for name in _asked(path)}
    assert asked == {function.__name__ for function in device.VECTOR_FUNCTIONS}


def test_kernels_are_chosen_once_for_both_widths_however_the_device_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[torch.dtype, int]] = []
    monkeypatch.setattr(device, "VECTOR_FUNCTIONS", (lambda values: calls.append((values.dtype, values.numel())),))
    for name in ("auto", "cpu"):
        device._choose_kernels.cache_clear()
        calls.clear()
        device.pick(name)
        device.pick(name)
        assert [dtype for dtype, _ in calls] == [torch.float32, torch.float64]
        assert all(count < 1000 for _, count in calls)  # of more, torch gives each thread a part


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="forks a process that has loaded torch")
def test_first_calls_of_many_processes_give_the_same_bits() -> None:
    ran = subprocess.run([sys.executable, "-c", STORM], capture_output=True, text=True, timeout=600, check=False)
    assert ran.stdout.split() == ["1", "False"], ran.stderr
