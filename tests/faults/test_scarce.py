"""Too few file descriptors, too little memory, and any one system call that fails: never a clean report that is not whole."""

from __future__ import annotations

import errno
import json
import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from child import Done, command, forked, make_old, make_set

from detloss_cli.inputs.cache import held


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_set(tmp_path_factory.mktemp("data") / "set", 400)


def inspect(data: Path, *more: str, before: Callable[[], None] | None = None) -> Done:
    return forked(["inspect", "labels", str(data), "--format", "json", *more], before=before)


def next_free() -> int:
    """The lowest file descriptor that is not in use."""
    fd = os.open(os.devnull, os.O_RDONLY)
    os.close(fd)
    return fd


@pytest.mark.parametrize("spare", [0, 1, 2, 4, 8])
def test_few_descriptors(data: Path, spare: int, tmp_path: Path) -> None:
    plain = inspect(data, "--no-cache")

    def few() -> None:
        limit = next_free() + spare
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

    done = inspect(data, "--cache-dir", str(tmp_path / "cache"), before=few)
    assert "Traceback" not in done.err
    assert (done.code, done.out) == (plain.code, plain.out) or done.code in (2, 3, 4)
    if spare >= 4:
        assert done.code == plain.code


def test_few_descriptors_from_the_start(data: Path) -> None:
    plain = inspect(data, "--no-cache")
    done = command(
        ["inspect", "labels", str(data), "--format", "json", "--no-cache"],
        before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20)),
    )
    assert (done.code, done.out) == (plain.code, plain.out)


def memory_now() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="no /proc to tell the memory in use from")
@pytest.mark.parametrize("more_kib", [64, 1024, 8192, 65536])
def test_little_memory(more_kib: int, tmp_path: Path) -> None:
    """4,000 rows, one in fifty of them wrong."""
    data = make_set(tmp_path / "set", 8, text=("0 0.5 0.5 0.2 0.2\n" * 49 + "0 1.5 .5 .2 .2\n") * 10)
    plain = inspect(data, "--no-cache", "--max-findings", "20")

    def little() -> None:
        limit = memory_now() + more_kib * 1024
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    done = inspect(data, "--no-cache", "--max-findings", "20", before=little)
    assert (done.code, done.out) == (plain.code, plain.out) or done.code in (3, 4)
    if done.code == 4:
        assert "out of memory" in done.err


def test_four_hundred_megabytes_are_enough_from_the_start(data: Path) -> None:
    """Threads of the linear algebra below numpy take address space each; one is enough for labels."""
    limit = 400 << 20
    plain = inspect(data, "--no-cache")
    done = command(
        ["inspect", "labels", str(data), "--format", "json", "--no-cache"],
        env={"OPENBLAS_NUM_THREADS": "1"},
        before=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert (done.code, done.out) == (plain.code, plain.out)


class Fails:
    """Every call of some functions of os counts; the N-th fails."""

    NAMES = ("open", "read", "close", "fstat", "lstat", "stat", "scandir", "fsync", "replace", "chmod", "makedirs", "listdir", "readlink")

    def __init__(self, at: int, number: int) -> None:
        self.left, self.number = at, number
        for name in self.NAMES:
            setattr(os, name, self.counted(getattr(os, name)))

    def counted(self, inner: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            self.left -= 1
            if self.left == 0:
                raise OSError(self.number, os.strerror(self.number))
            return inner(*args, **kwargs)

        return call


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_the_nth_call_fails(number: int, tmp_path: Path) -> None:
    """From the first call on, until a run needs fewer calls than that: the old report, the right one, or what could not be done."""
    data = make_set(tmp_path / "set", 2, bad="")
    (tmp_path / "set/images/val").mkdir()
    cache, out = str(tmp_path / "cache"), tmp_path / "out"
    out.mkdir()
    report = out / "report.json"
    arguments = ["inspect", "labels", str(data), "--format", "json", "-o", str(report), "--cache-dir", cache]
    report.write_text("old")
    assert forked(arguments).code == 0
    whole = report.read_text()
    codes = []
    for at in range(1, 400):
        report.write_text("old")

        def broken(at: int = at) -> None:
            Fails(at, number)

        done = forked(arguments, before=broken)
        codes.append(done.code)
        assert done.code in (0, 1, 2, 3), done
        assert "Traceback" not in done.err
        now = report.read_text()
        assert now in ("old", whole) or json.loads(now)["findings"], f"call {at}"
        assert done.code != 0 or now == whole, f"call {at}"
        assert [path.name for path in out.iterdir()] == ["report.json"], f"call {at}"
        if at > 20 and codes[-8:] == [0] * 8 and now == whole:
            break
    assert {0, 2} <= set(codes)
    assert 20 < len(codes) < 399


def test_the_nth_call_fails_while_the_cache_is_written(tmp_path: Path) -> None:
    data = make_set(tmp_path / "set", 2, bad="")
    make_old(tmp_path / "set")
    plain = inspect(data, "--no-cache")
    for at in range(1, 120, 2):
        cache = tmp_path / f"cache{at}"

        def broken(at: int = at) -> None:
            Fails(at, errno.ENOSPC)

        done = inspect(data, "--cache-dir", str(cache), before=broken)
        assert done.code != 0 or done.out == plain.out, f"call {at}"
        after = inspect(data, "--cache-dir", str(cache))
        assert (after.code, after.out) == (plain.code, plain.out), f"call {at}"
        assert len(held(str(cache))) == 1
        if at > 30 and done.code == 0 and done.err == "":
            break
