"""The cache of what was read: where it is, what it may hold, and when it is left alone. It is never beside the data."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from numpy.typing import NDArray

from detloss_cli import __version__
from detloss_cli.inputs.cache_file import PART, is_mine, pack, read, unpack, write
from detloss_cli.inputs.pairing import label_folder

SUFFIX = ".dlc"
STALE_SECONDS = 3600.0
# Beyond this the files that were not written for the longest time go.
MOST_BYTES = 2 << 30


def silent(note: str) -> None:
    """For those who want no note."""


@dataclass(frozen=True, slots=True)
class Cache:
    """Read results by data set and settings. Whatever is wrong with it, the files are read instead.

    folder: made when the first file is written. strict: a file is known by its content, not by its times alone.
    note: takes one line when something could not be kept.
    """

    folder: str
    strict: bool = False
    note: Callable[[str], None] = silent

    def load(self, kind: str, config: Mapping[str, Any]) -> dict[str, NDArray[Any]] | None:
        """What was kept, None if there is nothing to rely on."""
        if self._refusal() or not os.path.isdir(self.folder):
            return None
        text = self._config(kind, config)
        data = read(os.path.join(self.folder, _name(kind, text)))
        return None if data is None else unpack(data, text)

    def save(self, kind: str, config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep arrays. A folder that cannot be written to is a note at most."""
        text = self._config(kind, config)
        try:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            if why := self._refusal():
                self.note(f"the label cache is not used: {why}")
                return
            _make_room(self.folder)
            write(self.folder, _name(kind, text), pack(text, arrays))
        except OSError as error:
            if not isinstance(error, PermissionError) and error.errno not in READ_ONLY:
                self.note(f"the label cache was not written: {error.strerror} (--no-cache does without it, --cache-dir puts it elsewhere)")
        except MemoryError:
            self.note("the label cache was not written: out of memory (--no-cache does without it)")

    def away_from(self, sources: Iterable[str]) -> Cache | None:
        """This cache, None if it would stand among the data.

        Args:
            sources: folders of images or labels that are read.
        """
        here = os.path.realpath(self.folder) + os.sep
        for source in sources:
            for folder in {source, label_folder(source)}:
                if os.path.isdir(folder) and here.startswith(os.path.realpath(folder).rstrip(os.sep) + os.sep):
                    self.note(f"the label cache is not used: {self.folder} lies among the data (--cache-dir puts it elsewhere)")
                    return None
        return self

    def _refusal(self) -> str:
        """Why the folder must not be used, "" if it may or is not there yet."""
        try:
            status = os.stat(self.folder)
        except OSError:
            return ""
        if not stat.S_ISDIR(status.st_mode):
            return f"{self.folder} is no folder"
        return "" if is_mine(status) else f"{self.folder} belongs to or can be written by others"

    def _config(self, kind: str, config: Mapping[str, Any]) -> str:
        whole = {"kind": kind, "detloss": __version__, "reader": _reader(), "strict": self.strict, **config}
        return json.dumps(whole, sort_keys=True)


def default_folder() -> str:
    """`$XDG_CACHE_HOME/detloss`; a relative one does not count."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    return os.path.join(home if os.path.isabs(home) else os.path.join(os.path.expanduser("~"), ".cache"), "detloss")


def held(folder: str) -> list[tuple[str, int, float]]:
    """Path, bytes and time of writing of each cache file, and of the parts that killed runs left, oldest first."""
    found = []
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if (entry.name.endswith(SUFFIX) or entry.name.startswith(PART)) and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    found.append((entry.path, status.st_size, status.st_mtime))
    return sorted(found, key=lambda file: (file[2], file[0]))


def clear(folder: str) -> int:
    """Removes every file of the cache; how many there were.

    Raises:
        OSError: one cannot be removed.
    """
    files = held(folder)
    for path, _, _ in files:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    return len(files)


READ_ONLY = frozenset({errno.EROFS})


def _name(kind: str, config: str) -> str:
    return f"{kind}-{blake2b(config.encode(), digest_size=16).hexdigest()}{SUFFIX}"


def _reader() -> str:
    """The reader itself: another release, or an edited one, believes nothing that this one wrote."""
    total = blake2b(digest_size=16)
    with contextlib.suppress(OSError), os.scandir(os.path.dirname(os.path.abspath(__file__))) as entries:
        for name, entry in sorted((entry.name, entry) for entry in entries if entry.name.endswith(".py")):
            status = entry.stat()
            total.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return total.hexdigest()


def _make_room(folder: str) -> None:
    """Sweeps what killed runs left, and the oldest files of a cache that has grown too large."""
    files = held(folder)
    total = sum(size for _, size, _ in files)
    now = time.time()
    for path, size, written in files:
        left_over = os.path.basename(path).startswith(PART)
        if now - written > STALE_SECONDS if left_over else total > MOST_BYTES:
            with contextlib.suppress(OSError):
                os.unlink(path)
            total -= size
