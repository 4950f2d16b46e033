"""Files that change, go or turn into something else between the look at their folder and the reading: a finding each, no crash."""

from __future__ import annotations

import os
import random
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from child import PNG, make_set

from detloss_cli.inputs import dataset, files
from detloss_cli.inputs.cache import Cache
from detloss_cli.inputs.data_yaml import read_data
from detloss_cli.inputs.dataset import DataSet, read_dataset
from detloss_cli.inputs.limits import UNREAD_KINDS


def read(data: Path, cache: Cache | None = None) -> DataSet:
    spec, _ = read_data(str(data))
    return read_dataset(spec, tuple(spec.splits), "strict", num_classes=None, sizes=True, cache=cache)


def gone(label: Path) -> None:
    label.unlink()


def emptied(label: Path) -> None:
    label.write_bytes(b"")


def fifo(label: Path) -> None:
    label.unlink()
    os.mkfifo(label)


def folder(label: Path) -> None:
    label.unlink()
    label.mkdir()


def link_out(label: Path) -> None:
    label.unlink()
    label.symlink_to("/etc/passwd")


def dangling(label: Path) -> None:
    label.unlink()
    label.symlink_to("nowhere")


def whole_folder(label: Path) -> None:
    shutil.rmtree(label.parent)


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        (gone, {"changed-during-scan"}),
        (emptied, set()),
        (fifo, {"not-a-file"}),
        (folder, {"not-a-file"}),
        (link_out, {"leaves-root"}),
        (dangling, {"dangling-link"}),
        (whole_folder, {"unreadable-file"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_after_the_listing(change: Callable[[Path], None], kinds: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = make_set(tmp_path / "set", 3, bad="")
    inner = dataset.list_images

    def late(*args: object, **kwargs: object) -> object:
        found = inner(*args, **kwargs)  # type: ignore[arg-type]
        change(tmp_path / "set/labels/train/00001.txt")
        return found

    monkeypatch.setattr(dataset, "list_images", late)
    found = read(data)
    assert {fault.kind for fault in found.faults if "labels" in fault.path} == kinds
    counts = found.counts
    assert counts.images == counts.labelled + counts.background + counts.skipped == 3
    assert not any("root:" in fault.token for fault in found.faults)


@pytest.mark.parametrize("size", [+1, -1])
def test_between_the_look_at_a_file_and_its_reading(size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = make_set(tmp_path / "set", 2, bad="")
    label = tmp_path / "set/labels/train/00001.txt"
    real = os.fstat
    inode = label.stat().st_ino

    def late(fd: int) -> os.stat_result:
        status = real(fd)
        if status.st_ino == inode:
            text = label.read_bytes()
            label.write_bytes(text + b"0 0.1 0.1 0.1 0.1\n" if size > 0 else text[:-4])
        return status

    monkeypatch.setattr(files.os, "fstat", late)
    assert [(fault.kind, fault.path) for fault in read(data).faults if "labels" in fault.path] == [("changed-during-scan", str(label))]


def test_a_restless_folder(tmp_path: Path) -> None:
    """A neighbour that writes, cuts, moves and deletes while runs with and without a cache go on."""
    data = make_set(tmp_path / "set", 40)
    labels = tmp_path / "set/labels/train"
    over = threading.Event()

    def restless() -> None:
        draw = random.Random(3)
        while not over.is_set():
            label = labels / f"{draw.randrange(40):05d}.txt"
            try:
                match draw.randrange(5):
                    case 0:
                        label.unlink()
                    case 1:
                        # not write_text: it would wait for a reader where the label is a FIFO by now
                        fd = os.open(label, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NONBLOCK)
                        os.write(fd, b"0 .5 .5 .1 .1\n" * draw.randrange(50))
                        os.close(fd)
                    case 2:
                        os.truncate(label, draw.randrange(8))
                    case 3:
                        label.rename(labels / f"{draw.randrange(40):05d}.txt")
                    case _:
                        label.unlink()
                        os.mkfifo(label)
            except OSError:
                pass

    thread = threading.Thread(target=restless)
    thread.start()
    try:
        cache = Cache(str(tmp_path / "cache"))
        until = time.monotonic() + 1.5
        runs = 0
        while time.monotonic() < until:
            found = read(data, cache if runs % 2 else None)
            counts = found.counts
            assert counts.images == counts.labelled + counts.background + counts.skipped == 40
            assert counts.rows == counts.kept + counts.lost_rows
            runs += 1
    finally:
        over.set()
        thread.join()
    assert runs > 3


def test_a_list_that_grows_beyond_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = make_set(tmp_path / "set", 2, bad="")
    (tmp_path / "set/images/train/more.png").write_bytes(PNG)
    (tmp_path / "set/train.txt").write_text("images/train/00000.png\n" * 3)
    spec, _ = read_data(str(tmp_path / "set/train.txt"))
    small = dataset.Limits(list_bytes=20)
    found = read_dataset(spec, ("train",), "strict", num_classes=None, sizes=False, limits=small)
    assert {fault.kind for fault in found.faults} & UNREAD_KINDS == {"list-too-big"}
    assert found.incomplete
    assert data.exists()
