"""`numpy.savez` files: stored members are mapped, compressed ones bounded before they are read, objects never."""

from __future__ import annotations

import struct
import zipfile
import zlib
from typing import IO, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from detloss_cli.inputs.limits import DEFAULT
from detloss_cli.inputs.npz_header import Damaged, bytes_of, name_of, read_header
from detloss_cli.predictions.head_file import HeadFile
from detloss_cli.predictions.refusal import holds_code, too_big, unreadable, zip_members

LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, then the lengths of name and extra field
MAX_MEMBERS = 10_000


def read_npz(path: str, most: int = DEFAULT.preds_bytes) -> HeadFile:
    """The arrays of an npz by name, none of them read yet unless it is compressed.

    Raises:
        DetlossError: it is damaged, holds pickled objects, or takes more than `most` bytes in memory.
    """
    members = [member for member in zip_members(path) if member.filename.endswith(".npy")]
    if len(members) > MAX_MEMBERS:
        raise unreadable(path, f"{len(members):,} arrays")
    try:
        with zipfile.ZipFile(path) as archive, open(path, "rb") as raw:
            heads = [(member, *read_header(archive, member)) for member in members]
            for member, _, dtype, _, _ in heads:
                if dtype.hasobject:
                    raise holds_code(path, f"the array {name_of(member)}")
            loaded = sum(bytes_of(shape, dtype) for member, shape, dtype, _, _ in heads if not _mapped(member, dtype))
            if loaded > most:
                raise too_big(path, loaded, most)
            arrays = {name_of(head[0]): _array(path, archive, raw, *head) for head in heads}
    except (
        Damaged,
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


def _mapped(member: zipfile.ZipInfo, dtype: np.dtype[np.generic]) -> bool:
    return member.compress_type == zipfile.ZIP_STORED and dtype.isnative


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
    if _mapped(member, dtype) and bytes_of(shape, dtype):
        raw.seek(member.header_offset)
        signature, name_length, extra_length = LOCAL_HEADER.unpack(raw.read(LOCAL_HEADER.size))
        if signature != b"PK\x03\x04":
            raise Damaged(member.filename)
        offset = member.header_offset + LOCAL_HEADER.size + name_length + extra_length + length
        # mode "c": pages are read as they are touched, and a write would stay in memory
        array = np.memmap(path, dtype=dtype, mode="c", offset=offset, shape=shape, order=order)
    else:
        body = bytearray(bytes_of(shape, dtype))
        with archive.open(member) as file:
            file.read(length)
            filled = 0
            while filled < len(body) and (part := file.read(min(1 << 20, len(body) - filled))):
                body[filled : filled + len(part)] = part
                filled += len(part)
        if filled != len(body):
            raise Damaged(member.filename)
        array = np.frombuffer(body, dtype=dtype).reshape(shape, order=order)
        array = array.astype(dtype.newbyteorder("="), copy=False)
    if array.dtype.kind not in "fiub":
        raise Damaged(member.filename)
    return torch.from_numpy(array)
