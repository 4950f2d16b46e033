"""Where a report is written: whole or not at all, and never over what it was made from."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable
from pathlib import Path

from detloss_cli.errors import DetlossError

PREFIX = ".detloss-"
STALE_SECONDS = 3600.0
OPTION = "--output"


def refuse(path: str, *, force: bool, option: str = OPTION) -> None:
    """Before any work is done: what cannot or must not be written.

    Raises:
        DetlossError: a link, a folder, something that is no file, or a folder that is not there.
    """
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise DetlossError(f"no such folder: {folder}", where=option, hint="make it first")
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return
    if stat.S_ISDIR(mode):
        raise DetlossError(f"{path} is a folder", where=option, hint="give the name of a file")
    if stat.S_ISLNK(mode) and not force:
        raise DetlossError(f"{path} is a link", where=option, hint="give the file itself, or --force to replace the link")
    if not stat.S_ISREG(mode) and not stat.S_ISLNK(mode):
        raise DetlossError(f"{path} is no regular file", where=option, hint="leave -o out and redirect the output")


def refuse_sources(path: str, sources: Iterable[str], *, force: bool, option: str = OPTION) -> None:
    """A report must not land among labels or images.

    Args:
        sources: folders and lists that were read; of a folder of images, its folder of labels as well.

    Raises:
        DetlossError: the file would stand in one of them.
    """
    folder = os.path.realpath(os.path.dirname(path) or ".")
    for source in () if force else _folders(sources):
        if folder == source or folder.startswith(source.rstrip(os.sep) + os.sep):
            raise DetlossError(f"{path} would stand among the data, in {source}", where=option, hint="write it elsewhere, or add --force")


def write(path: str, content: str | bytes) -> None:
    """Text as UTF-8, or bytes, in place of the old file, which stays as it is if anything goes wrong.

    Raises:
        DetlossError: it cannot be written.
    """
    folder = os.path.dirname(path) or "."
    part = os.path.join(folder, f"{PREFIX}{os.getpid()}-{os.urandom(8).hex()}")
    try:
        _sweep(folder)
        _write_new(part, content.encode("utf-8") if isinstance(content, str) else content)
        try:
            os.chmod(part, _mode(path))
            os.replace(part, path)
        except OSError:
            os.unlink(part)
            raise
    except OSError as error:
        raise DetlossError(
            f"cannot write {path}: {error.strerror}", where=OPTION, hint="the old file, if there was one, is as it was"
        ) from error


def _write_new(part: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    descriptor = os.open(part, flags, 0o600)
    try:
        with open(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(descriptor)
    except BaseException:  # an interrupt too must leave nothing behind
        os.unlink(part)
        raise


def _mode(path: str) -> int:
    """Rights of the old file, else those that any new file gets."""
    try:
        return stat.S_IMODE(os.lstat(path).st_mode) if not os.path.islink(path) else 0o644
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _sweep(folder: str) -> None:
    """Removes what a killed run left behind."""
    with os.scandir(folder) as entries:
        old = [entry for entry in entries if entry.name.startswith(PREFIX) and entry.is_file(follow_symlinks=False)]
    for entry in old:
        if time.time() - entry.stat(follow_symlinks=False).st_mtime > STALE_SECONDS:
            os.unlink(entry.path)


def _folders(sources: Iterable[str]) -> set[str]:
    """The folders themselves, and for `.../images/...` the labels beside them. A list file has no folder of its own."""
    found = set()
    for source in sources:
        if os.path.isdir(source):
            whole = Path(os.path.realpath(source))
            found.add(str(whole))
            places = [i for i, part in enumerate(whole.parts) if part == "images"]
            if places:
                found.add(str(Path(*whole.parts[: places[-1]], "labels", *whole.parts[places[-1] + 1 :])))
    return found
