"""Files that are read whole: bounded, regular files only, never waiting for a writer."""

from __future__ import annotations

import os
import stat

from detloss_cli.errors import DetlossError

MAX_BYTES = 1 << 20


def read_bytes(path: str, *, max_bytes: int = MAX_BYTES, follow: bool = True) -> bytes | None:
    """The bytes of a file, None if there are more than `max_bytes`.

    follow: False for files that a data set names or holds: a link there could show a file from elsewhere.

    Raises:
        DetlossError: it cannot be opened or is no regular file.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | (0 if follow else getattr(os, "O_NOFOLLOW", 0))
    try:
        descriptor = os.open(path, flags)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ValueError("not a regular file")
            body = file.read(max_bytes + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise DetlossError(f"cannot be read: {reason}", where=path, hint="check the path and its permissions") from error
    return body if len(body) <= max_bytes else None


def read_lines(path: str, *, follow: bool = True) -> list[str]:
    """The lines of a small UTF-8 text, stripped, without the empty ones at its end.

    Raises:
        DetlossError: it cannot be read, is larger than `MAX_BYTES` or is no UTF-8.
    """
    body = read_bytes(path, follow=follow)
    if body is None:
        raise DetlossError(f"more than {MAX_BYTES:,} bytes", where=path, hint="a list of names is smaller")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DetlossError("not UTF-8", where=path, hint="save it as UTF-8") from error
    return [line.strip() for line in text.rstrip().split("\n")] if text.strip() else []
