"""`torch.save` of tensors. What else a pickle can hold is looked at as text and refused; nothing of it is run."""

from __future__ import annotations

import pickletools
import re
import zipfile
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from detloss_cli.inputs.limits import DEFAULT
from detloss_cli.predictions.head_file import HeadFile
from detloss_cli.predictions.refusal import UNREADABLE, holds_code, refusal, too_big, unreadable, zip_members

OLDEST_TORCH = (2, 10)  # older ones run code even with weights_only
MAX_PICKLE = 16 << 20
# What a pickle of plain tensors names.
PLAIN = re.compile(
    r"collections OrderedDict|torch\._utils _rebuild_(tensor_v2|parameter)|torch \w+Storage|torch\.storage UntypedStorage|torch Size"
)


def read_tensor_file(path: str, most: int = DEFAULT.preds_bytes) -> HeadFile:
    """A dict of tensors by name, or a list of them in the order of the head's levels, mapped.

    Raises:
        DetlossError: it is damaged, holds anything but tensors, or the torch at hand is too old to read it safely.
    """
    check_torch(path, torch.__version__)
    members = zip_members(path)
    _check_members(path, members, most)
    try:
        held = torch.load(path, map_location=_where_it_lies, weights_only=True, mmap=True)
    except Exception as error:  # torch's own text tells the reader to load it unsafely, so it is not passed on
        raise unreadable(path, "it is no torch.save of tensors, or damaged") from error
    if isinstance(held, Tensor):
        held = [held]
    if isinstance(held, Mapping):
        return HeadFile(path, {str(name): _plain(path, str(name), value) for name, value in held.items()})
    if isinstance(held, list | tuple):
        return HeadFile(path, {str(index): _plain(path, f"item {index}", value) for index, value in enumerate(held)}, in_order=True)
    raise refusal(
        UNREADABLE, path, f"holds a {type(held).__name__}, expected tensors", "torch.save({'p3': ..., 'p4': ..., 'p5': ...}, path)"
    )


def _where_it_lies(storage: Any, _: str) -> Any:
    """A storage as it came off the disk, wherever it was saved from."""
    return storage


def check_torch(path: str, version: str) -> None:
    """Refuses to read a pickle with a torch whose weights_only can be got around.

    Raises:
        DetlossError: it is older than 2.10.
    """
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST_TORCH:
        needed = ".".join(map(str, OLDEST_TORCH))
        raise refusal(
            UNREADABLE, path, f"torch {version} cannot read it safely", f"torch {needed} or later, or save it as .safetensors or .npz"
        )


def _check_members(path: str, members: list[zipfile.ZipInfo], most: int) -> None:
    """Bounds what torch will read, and looks for names of code."""
    pickles = [member for member in members if member.filename.rsplit("/", 1)[-1] == "data.pkl"]
    if len(pickles) != 1:
        raise unreadable(path, "it is no torch.save")
    total = sum(member.file_size for member in members)
    if pickles[0].file_size > MAX_PICKLE or total > most:
        raise too_big(path, total, most)
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise unreadable(path, "torch.save does not compress, this file is compressed")
    try:
        with zipfile.ZipFile(path) as archive:
            named = _globals(archive.read(pickles[0]))
    except (zipfile.BadZipFile, EOFError, OSError, ValueError) as error:
        raise unreadable(path, "the file ends early or is damaged") from error
    foreign = next((name for name in named if not PLAIN.fullmatch(name)), None)
    if foreign is not None:
        raise holds_code(path, foreign.replace(" ", ".")[:80])


def _globals(pickle: bytes) -> list[str]:
    """`module name` of everything that a pickle imports, by reading its opcodes.

    Raises:
        ValueError: it is no pickle.
    """
    found, texts = [], ["", ""]
    for code, argument, _ in pickletools.genops(pickle):
        if code.name in ("GLOBAL", "INST"):
            found.append(str(argument))
        elif code.name == "STACK_GLOBAL":  # its names were pushed just before, or come from the memo
            found.append(" ".join(texts[-2:]))
        elif isinstance(argument, str):
            texts.append(argument)
    return found


def _plain(path: str, name: str, value: Any) -> Tensor:
    if not isinstance(value, Tensor):
        raise refusal(
            UNREADABLE, path, f"{name} is a {type(value).__name__}, expected a tensor", "save the head's output alone, one tensor a level"
        )
    if value.layout != torch.strided or value.is_quantized:
        raise refusal(UNREADABLE, path, f"{name} is a sparse or quantised tensor", "save it dense")
    return value.detach()
