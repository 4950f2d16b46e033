"""`numpy.savez` files: stored members are mapped, compressed ones bounded before they are read, objects never."""

from __future__ import annotations

import io
import math
import struct
import zipfile
import zlib
from typing import IO, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from detloss_cli.predictions.head_file import HeadFile
from detloss_cli.predictions.refusal import MAX_BYTES, holds_code, too_big, unreadable, zip_members

LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, then the lengths of name and extra field
MAX_MEMBERS = 10_000
LONGEST_HEADER = 64 << 10


class _Damaged(Exception):
    """A member is not what its header says."""


def read_npz(path: str) -> HeadFile:
    """The arrays of an npz by name, none of them read yet unless it is compressed.

    Raises:
        DetlossError: it is damaged, holds pickled objects, or takes more than `MAX_BYTES` in memory.
    """
    members = [member for member in zip_members(path) if member.filename.endswith(".npy")]
    if len(members) > MAX_MEMBERS:
        raise unreadable(path, f"{len(members):,} arrays")
    try:
        with zipfile.ZipFile(path) as archive, open(path, "rb") as raw:
            heads = [(member, *_header(archive, member)) for member in members]
            for member, _, dtype, _, _ in heads:
                if dtype.hasobject:
                    raise holds_code(path, f"the array {_name(member)}")
            loaded = sum(_bytes(shape, dtype) for member, shape, dtype, _, _ in heads if not _mapped(member, dtype))
            if loaded > MAX_BYTES:
                raise too_big(path, loaded)
            arrays = {_name(head[0]): _array(path, archive, raw, *head) for head in heads}
    except (
        _Damaged,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        OverflowError,
        struct.error,
        NotImplementedError,
    ) as error:
        raise unreadable(path, "the file ends early or is damaged") from error
    return HeadFile(path, arrays)


def _name(member: zipfile.ZipInfo) -> str:
    return member.filename.removesuffix(".npy")


def _bytes(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> int:
    return math.prod(shape) * dtype.itemsize


def _mapped(member: zipfile.ZipInfo, dtype: np.dtype[np.generic]) -> bool:
    return member.compress_type == zipfile.ZIP_STORED and dtype.isnative


def _header(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[tuple[int, ...], np.dtype[np.generic], bool, int]:
    """Shape, dtype, Fortran order and length of the .npy header, held against the size that the directory gives."""
    with archive.open(member) as file:
        start = io.BytesIO(file.read(min(member.file_size, LONGEST_HEADER)))
    version = np.lib.format.read_magic(start)
    reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = reader(start)
    length = start.tell()
    if not dtype.hasobject and length + _bytes(shape, dtype) != member.file_size:
        raise _Damaged(member.filename)
    return shape, dtype, fortran, length


def _array(
    path: str,
    archive: zipfile.ZipFile,
    raw: IO[bytes],
    member: zipfile.ZipInfo,
    shape: tuple[int, ...],
    dtype: np.dtype[np.generic],
    fortran: bool,
    length: int,
) -> Tensor:
    order: Literal["F", "C"] = "F" if fortran else "C"
    array: NDArray[np.generic]
    if _mapped(member, dtype) and _bytes(shape, dtype):
        raw.seek(member.header_offset)
        signature, name_length, extra_length = LOCAL_HEADER.unpack(raw.read(LOCAL_HEADER.size))
        if signature != b"PK\x03\x04":
            raise _Damaged(member.filename)
        offset = member.header_offset + LOCAL_HEADER.size + name_length + extra_length + length
        # mode "c": pages are read as they are touched, and a write would stay in memory
        array = np.memmap(path, dtype=dtype, mode="c", offset=offset, shape=shape, order=order)
    else:
        body = bytearray(_bytes(shape, dtype))
        with archive.open(member) as file:
            file.read(length)
            filled = 0
            while filled < len(body) and (part := file.read(min(1 << 20, len(body) - filled))):
                body[filled : filled + len(part)] = part
                filled += len(part)
        if filled != len(body):
            raise _Damaged(member.filename)
        array = np.frombuffer(body, dtype=dtype).reshape(shape, order=order)
        array = array.astype(dtype.newbyteorder("="), copy=False)
    if array.dtype.kind not in "fiub":
        raise _Damaged(member.filename)
    return torch.from_numpy(array)
