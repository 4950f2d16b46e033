"""A saved run on disk: an npz of plain columns, held against its own directory before any of it is read. No pickle, ever."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.limits import DEFAULT, raised
from detloss_cli.inputs.npz_header import Damaged, bytes_of, name_of, read_header

MOST_MEMBERS = 100
HOW = "detloss compute DATA --save RUN.npz writes one"


def packed(columns: Mapping[str, NDArray[Any]]) -> bytes:
    """The npz of some columns. Like `numpy.savez_compressed`, without the time of day in it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, column in sorted(columns.items()):
            body = io.BytesIO()
            np.lib.format.write_array(body, np.asarray(column), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), body.getvalue(), zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def read_columns(path: str, most: int = DEFAULT.run_bytes) -> dict[str, NDArray[Any]]:
    """The columns of a saved run.

    Args:
        most: bytes of all columns together, in memory: boxes by the million.

    Raises:
        DetlossError: it is no npz, is damaged, or holds pickled objects.
    """
    if not os.path.isfile(path):
        raise DetlossError("is no regular file", where=path, hint=HOW)
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if member.filename.endswith(".npy")]
            if len(members) > MOST_MEMBERS:
                raise DetlossError("is no run saved by detloss", where=path, hint=HOW)
            heads = [(member, *read_header(archive, member)) for member in members]
            held = next((name_of(member) for member, _, dtype, _, _ in heads if dtype.hasobject), None)
            if held is not None:
                raise DetlossError(f"holds pickled objects ({held!r}), which are never read", where=path, hint=HOW)
            size = sum(bytes_of(shape, dtype) for _, shape, dtype, _, _ in heads)
            if size > most:
                raise DetlossError(f"takes {size:,} bytes in memory, the limit is {most:,}", where=path, hint=raised("run_bytes", size))
            return {name_of(member): np.lib.format.read_array(archive.open(member), allow_pickle=False) for member in members}
    except zipfile.BadZipFile as error:
        raise DetlossError("is cut short, or no run saved by detloss", where=path, hint=HOW) from error
    except (Damaged, zlib.error, EOFError, OSError, ValueError, OverflowError, NotImplementedError, RuntimeError) as error:
        raise damaged(path) from error


def damaged(path: str) -> DetlossError:
    """What is said of a file that does not hold together."""
    return DetlossError("is damaged, or not written by detloss", where=path, hint=HOW)
