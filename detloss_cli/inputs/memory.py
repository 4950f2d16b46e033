"""Memory that the program has let go of and its allocator keeps."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Hands it to the system, where the C library can: before a fork, which shares it with its children, and after work that took much."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:  # glibc has it, musl has not
        trim(0)
