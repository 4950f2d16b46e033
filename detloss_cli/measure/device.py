"""Which device a run computes on, made ready so that the same input gives the same bits."""

from __future__ import annotations

import functools
import re

import torch

from detloss_cli.errors import DetlossError

SPELLING = re.compile(r"auto|cpu|cuda(:\d+)?|\d+")
# What losses and assignments ask of the vector mathematics of oneMKL.
VECTOR_FUNCTIONS = (torch.atan, torch.exp, torch.log, torch.sqrt)


def pick(name: str) -> torch.device:
    """The device for `auto`, `cpu`, `cuda`, `cuda:N` or `N`.

    Raises:
        DetlossError: the spelling is unknown, or CUDA was asked for and is not there.
    """
    if not SPELLING.fullmatch(name):
        raise DetlossError("unknown device", where=f"--device {name}", hint="auto, cpu, cuda or cuda:N")
    _choose_kernels()
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cpu":
        return torch.device("cpu")
    device = torch.device(f"cuda:{name}" if name.isdigit() else name)
    if not torch.cuda.is_available():
        raise DetlossError("this torch finds no CUDA device", where=f"--device {name}", hint="leave it out, or use --device cpu")
    if device.index is not None and device.index >= torch.cuda.device_count():
        raise DetlossError(f"there are {torch.cuda.device_count()} CUDA devices", where=f"--device {name}")
    return device


@functools.cache
def _choose_kernels() -> None:
    """Has oneMKL choose its kernel of each vector function while one thread runs.

    It chooses at the first call; where several threads make that call at once, one of them may get a kernel of lower accuracy, and a run in
    some hundred has other last digits (oneMKL 2024.2, pytorch issue 188792).
    """
    for dtype in (torch.float32, torch.float64):
        for function in VECTOR_FUNCTIONS:
            function(torch.ones(16, dtype=dtype))
