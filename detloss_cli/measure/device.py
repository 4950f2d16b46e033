"""Which device a run computes on."""

from __future__ import annotations

import re

import torch

from detloss_cli.errors import DetlossError

SPELLING = re.compile(r"auto|cpu|cuda(:\d+)?|\d+")


def pick(name: str) -> torch.device:
    """The device for `auto`, `cpu`, `cuda`, `cuda:N` or `N`.

    Raises:
        DetlossError: the spelling is unknown, or CUDA was asked for and is not there.
    """
    if not SPELLING.fullmatch(name):
        raise DetlossError("unknown device", where=f"--device {name}", hint="auto, cpu, cuda or cuda:N")
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
