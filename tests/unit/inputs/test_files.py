"""One safe open for everything that a data set brings along."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from detloss_cli.inputs import files
from detloss_cli.inputs.files import Refused, read_file


def test_reads_a_plain_file(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"12345")
    assert read_file(str(file), 5) == b"12345"
    assert read_file(str(file), 4) == Refused("label-too-big", "5")
    fd = os.open(tmp_path, os.O_RDONLY)
    assert read_file("a.txt", 5, fd) == b"12345"
    os.close(fd)


def test_nothing_else_is_waited_for_or_followed(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("/etc/hostname")
    assert read_file(str(tmp_path / "fifo"), 9) == Refused("not-a-file", "a FIFO")
    assert read_file(str(tmp_path), 9) == Refused("not-a-file", "a folder")
    assert read_file("/dev/null", 9) == Refused("not-a-file", "a device")
    assert read_file(str(tmp_path / "link"), 9) == Refused("symlink", "")
    assert read_file(str(tmp_path / "gone"), 9) == Refused("changed-during-scan", "it is gone")


@pytest.mark.parametrize("pieces", [[b"12", b"3", b""], [b"12345678", b"9", b""], [b""]])
def test_a_file_that_shrinks_or_grows_is_not_half_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: list[bytes]) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"12345")
    left = iter(pieces)
    monkeypatch.setattr(files.os, "read", lambda _fd, _size: next(left, b""))
    found = read_file(str(file), 100)
    assert isinstance(found, Refused)
    assert found.kind == "changed-during-scan"


def test_short_reads_are_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"12345")
    left = iter([b"12", b"34", b"5", b""])
    monkeypatch.setattr(files.os, "read", lambda _fd, _size: next(left))
    assert read_file(str(file), 100) == b"12345"


def test_errors_of_the_system_have_their_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(number: int) -> None:
        def opened(*_: object, **__: object) -> int:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(files.os, "open", opened)

    fail(errno.EACCES)
    assert read_file("x", 1) == Refused("unreadable-file", "Permission denied")
    fail(errno.EIO)
    assert read_file("x", 1) == Refused("unreadable-file", "Input/output error")
    # too few handles is no fault of the file: the run must not go on as if it were
    fail(errno.EMFILE)
    with pytest.raises(OSError, match="Too many open files"):
        read_file("x", 1)


def test_every_handle_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"12345")
    opened, closed = list[int](), list[int]()
    real_open, real_close = os.open, os.close
    monkeypatch.setattr(files.os, "open", lambda *a, **k: opened.append(real_open(*a, **k)) or opened[-1])
    monkeypatch.setattr(files.os, "close", lambda fd: closed.append(fd) or real_close(fd))
    read_file(str(file), 100)
    read_file(str(file), 1)
    assert opened == closed
    assert len(opened) == 2
