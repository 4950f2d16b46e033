"""Why a file of head outputs is not read, as an error that names its rule."""

from __future__ import annotations

import os
import stat
import zipfile

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.limits import raised

UNREADABLE = "prediction-file-unreadable"
CODE = "prediction-file-holds-code"
TOO_BIG = "prediction-file-too-big"
SHAPE = "prediction-shape"
LEVEL = "prediction-level-missing"
DUMP = "prediction-dump-invalid"


def refusal(rule: str, path: str, message: str, hint: str) -> DetlossError:
    """The error that ends the run with exit code 2."""
    return DetlossError(message, where=path, hint=hint, rule=rule)


def unreadable(path: str, why: str) -> DetlossError:
    """Cut short, damaged, or not what its first bytes say."""
    return refusal(UNREADABLE, path, f"cannot be read: {why}", "write it again; a copy that was interrupted is cut short")


def holds_code(path: str, what: str) -> DetlossError:
    """Reading it would run what its author wrote."""
    return refusal(
        CODE,
        path,
        f"holds pickled objects ({what}), which run code when they are read",
        "in the environment that trained it: python detloss_tap.py dump MODEL.pt --data data.yaml --split val",
    )


def too_big(path: str, size: int, most: int) -> DetlossError:
    """More than may be held in memory. A file that can be mapped may be larger."""
    return refusal(
        TOO_BIG,
        path,
        f"takes {size:,} bytes in memory, the limit is {most:,}",
        f"save it uncompressed (numpy.savez) or as safetensors, those are mapped; or {raised('preds_bytes', size)}",
    )


def zip_members(path: str) -> list[zipfile.ZipInfo]:
    """What the zip directory lists.

    Raises:
        DetlossError: there is none, a name stands twice, or a member is encrypted.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, RecursionError) as error:
        raise unreadable(path, "the file ends early or is damaged") from error
    if len({member.filename for member in members}) != len(members):
        raise unreadable(path, "a name stands twice in it")
    if any(member.flag_bits & 1 for member in members):
        raise unreadable(path, "it is encrypted")
    return members


def first_bytes(path: str, count: int) -> tuple[bytes, int]:
    """The first bytes of a regular file, and its size; never waits for a writer.

    Raises:
        DetlossError: it cannot be opened, or is a folder, FIFO or device.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise refusal(UNREADABLE, path, "is no regular file", "give a .npz, .safetensors or .pt file")
            return file.read(count), status.st_size
    except OSError as error:
        raise refusal(UNREADABLE, path, f"cannot be opened: {error.strerror}", "check the path and its permissions") from error
