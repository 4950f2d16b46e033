"""safetensors: no code, memory-mapped, with metadata."""

from __future__ import annotations

from safetensors import SafetensorError, safe_open
from torch import Tensor

from detloss_cli.predictions.head_file import HeadFile
from detloss_cli.predictions.refusal import unreadable


def read_safetensors(path: str) -> HeadFile:
    """Its tensors, mapped, and its metadata.

    Raises:
        DetlossError: it is damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no mapping
            return HeadFile(path, tensors, dict(file.metadata() or {}))
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        raise unreadable(path, "the file ends early or is damaged") from error
