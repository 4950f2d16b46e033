"""A disk that is full, too small, read-only or not ours: the report is whole or the old one, the data untouched, the cache a help only."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from child import Done, fork, forked, make_old, make_set, tree_hash

from detloss_cli.inputs.cache import held

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system needs root")


def inspect(data: Path, *more: str, **how: object) -> Done:
    return forked(["inspect", "labels", str(data), "--format", "json", *more], **how)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data") / "set"
    found = make_set(root, 300)
    make_old(root)
    return found


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """16 KiB that are all but full."""
    where = tmp_path / "disk"
    where.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(where)], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no tmpfs here: {mounted.stderr.strip()}")
    yield where
    subprocess.run(["umount", str(where)], check=True)


@needs_root
def test_a_full_disk_under_the_cache_is_a_note(data: Path, small_disk: Path) -> None:
    plain = inspect(data, "--no-cache")
    cached = inspect(data, "--cache-dir", str(small_disk / "cache"))
    assert (cached.code, cached.out) == (plain.code, plain.out)
    assert plain.err == ""
    assert "the label cache was not written: No space left on device" in cached.err
    assert os.listdir(small_disk / "cache") == []


@needs_root
def test_a_full_disk_under_the_report_leaves_the_old_one(data: Path, small_disk: Path) -> None:
    report = small_disk / "report.json"
    report.write_text("old")
    (small_disk / "fill").write_bytes(b"\0" * 12288)
    done = forked(["inspect", "labels", str(data), "--format", "json", "-o", str(report)])
    assert done.code == 2
    assert "No space left on device" in done.err
    assert (report.read_text(), sorted(os.listdir(small_disk))) == ("old", ["fill", "report.json"])


def test_a_full_stdout_is_said(data: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full on this system")
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        done = inspect(data, out=full)
    finally:
        os.close(full)
    assert done.code == 2
    assert "cannot write to stdout" in done.err
    assert "Traceback" not in done.err


def small_files() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))


def test_a_limit_on_file_sizes_is_a_full_disk(data: Path, tmp_path: Path) -> None:
    cache, report = tmp_path / "cache", tmp_path / "report.json"
    report.write_text("old")
    done = forked(["inspect", "labels", str(data), "--cache-dir", str(cache), "-o", str(report)], before=small_files)
    assert done.code == 2
    assert "the label cache was not written: File too large" in done.err
    assert "cannot write" in done.err.splitlines()[-1]
    assert report.read_text() == "old"
    assert (os.listdir(cache), sorted(os.listdir(tmp_path))) == ([], ["cache", "report.json"])


@pytest.fixture
def foreign() -> Iterator[Path]:
    """A folder that everybody may look into."""
    where = Path(tempfile.mkdtemp(prefix="detloss-faults-"))
    where.chmod(0o755)
    yield where
    for path in where.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(where)


def as_nobody() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def test_what_may_not_be_read_is_a_finding_each(foreign: Path) -> None:
    data = make_set(foreign / "set", 4)
    labels = sorted((foreign / "set/labels/train").iterdir())
    for label in labels[1:3]:
        label.chmod(0)
    before = tree_hash(foreign / "set") if os.geteuid() == 0 else ""
    done = inspect(data, "--no-cache", before=as_nobody)
    assert done.code == 1
    for label in labels[1:3]:
        assert f"labels/train/{label.name}" in done.out
    assert done.out.count('"unreadable-file"') == 2
    assert '"skipped": 2' in done.out
    assert os.geteuid() != 0 or tree_hash(foreign / "set") == before


def test_a_folder_that_may_not_be_read_is_a_finding(foreign: Path) -> None:
    data = make_set(foreign / "set", 2)
    (foreign / "set/labels/train").chmod(0)
    done = inspect(data, "--no-cache", before=as_nobody)
    assert done.code == 1
    assert "unreadable-folder" in done.out
    assert done.err == ""


def test_data_that_may_not_be_written_and_no_place_for_a_cache(foreign: Path) -> None:
    data = make_set(foreign / "set", 3)
    make_old(foreign / "set")
    for path in [foreign / "set", *(foreign / "set").rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = tree_hash(foreign / "set")
    plain = inspect(data, "--no-cache", before=as_nobody)
    (foreign / "locked").mkdir(mode=0o755)
    (foreign / "locked").chmod(0o555)
    cached = inspect(data, "--cache-dir", str(foreign / "locked" / "cache"), before=as_nobody)
    assert (cached.code, cached.out, cached.err) == (plain.code, plain.out, "")
    assert tree_hash(foreign / "set") == before


@needs_root
def test_a_cache_of_somebody_else_is_not_used(data: Path, foreign: Path) -> None:
    plain = inspect(data, "--no-cache")
    cache = foreign / "cache"
    inspect(data, "--cache-dir", str(cache))
    assert held(str(cache))
    os.chown(cache, NOBODY, NOBODY)
    done = inspect(data, "--cache-dir", str(cache))
    assert (done.code, done.out) == (plain.code, plain.out)


@needs_root
def test_a_read_only_mount(tmp_path: Path) -> None:
    where = tmp_path / "disk"
    where.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(where)], capture_output=True).returncode:
        pytest.skip("no tmpfs here")
    try:
        data = make_set(where / "set", 3)
        plain = inspect(data, "--no-cache")
        make_old(where / "set")
        subprocess.run(["mount", "-o", "remount,ro", str(where)], check=True)
        cached = inspect(data, "--cache-dir", str(where / "cache"))
        report = inspect(data, "-o", str(where / "report.json"))
    finally:
        subprocess.run(["umount", str(where)], check=True)
    assert (cached.code, cached.out, cached.err) == (plain.code, plain.out, "")
    assert report.code == 2
    assert "Read-only file system" in report.err


def test_a_fifo_and_a_socket_where_a_label_belongs(tmp_path: Path) -> None:
    data = make_set(tmp_path / "set", 3)
    label = tmp_path / "set/labels/train/00001.txt"
    label.unlink()
    os.mkfifo(label)
    done = inspect(data, "--no-cache")
    assert done.code == 1
    assert done.seconds < 5
    assert "not-a-file" in done.out
    assert stat.S_ISFIFO(label.stat().st_mode)


def test_the_child_says_when_it_breaks() -> None:
    """What every test here leans on: a child that raises is seen."""

    def broken() -> int:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        raise RuntimeError

    assert os.waitstatus_to_exitcode(os.waitpid(fork(broken), 0)[1]) == 99
