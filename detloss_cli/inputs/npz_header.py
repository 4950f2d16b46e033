"""What a member of an npz says of itself, held against what the zip directory says, before any of it is read."""

from __future__ import annotations

import io
import math
import zipfile

import numpy as np

LONGEST_HEADER = 64 << 10


class Damaged(Exception):
    """A member is not what its header says."""


def name_of(member: zipfile.ZipInfo) -> str:
    """The array's name."""
    return member.filename.removesuffix(".npy")


def bytes_of(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> int:
    """What an array takes in memory."""
    return math.prod(shape) * dtype.itemsize


def read_header(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[tuple[int, ...], np.dtype[np.generic], bool, int]:
    """Shape, dtype, Fortran order and length of the .npy header, held against the size that the directory gives."""
    with archive.open(member) as file:
        start = io.BytesIO(file.read(min(member.file_size, LONGEST_HEADER)))
    version = np.lib.format.read_magic(start)
    reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = reader(start)
    length = start.tell()
    if not dtype.hasobject and length + bytes_of(shape, dtype) != member.file_size:
        raise Damaged(member.filename)
    return shape, dtype, fortran, length
