"""What of a data set is not opened, not followed, or not read to its end."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

import pytest
from sets_on_disk import ROW, Make, kinds, read

from detloss_cli.inputs.data_yaml import read_data
from detloss_cli.inputs.dataset import read_dataset
from detloss_cli.inputs.limits import Limits


def test_nothing_special_is_opened_followed_or_waited_for(make: Make, tmp_path: Path) -> None:
    outside = tmp_path / "secret.txt"
    outside.write_text("0 0.1 0.1 0.1 0.1\n")
    pictures = {f"images/train/{stem}.png": "" for stem in "abcdefgh"}
    root = make(
        {"data.yaml": "train: images/train\nval: images/train\nnames: [a]\n", **pictures, "labels/train/h.txt": ROW, "more/i.png": ""}
    )
    labels = root / "labels/train"
    os.mkfifo(labels / "a.txt")
    (labels / "b.txt").mkdir()
    (labels / "c.txt").symlink_to(outside)
    (labels / "d.txt").symlink_to("nowhere")
    (labels / "e.txt").symlink_to("h.txt")
    (labels / "f.txt").symlink_to("f.txt")
    (labels / "g.txt").symlink_to("/dev/zero")
    (root / "images/train/up").symlink_to("..")
    (root / "images/train/more").symlink_to(root / "more")
    found = read(root / "data.yaml")
    assert len(found.faults) == len(kinds(found))
    assert {place: kind for place, kind in kinds(found).items() if kind != "split-same-path"} == {
        "labels/train/a.txt": "not-a-file",
        "labels/train/b.txt": "not-a-file",
        "labels/train/c.txt": "leaves-root",
        "labels/train/d.txt": "dangling-link",
        "labels/train/f.txt": "dangling-link",
        "labels/train/g.txt": "leaves-root",
        "images/train/up": "symlink-loop",
        "images/train/more": "symlink-folder",
    }
    assert (found.counts.skipped, found.counts.labelled) == (6, 2)
    spec, _ = read_data(str(root / "data.yaml"))
    allowed = read_dataset(spec, ("train",), "strict", num_classes=None, sizes=False, allow_outside=True)
    assert allowed.counts.labelled == 3


def test_a_label_folder_that_leaves_the_root_is_not_read(make: Make, tmp_path: Path) -> None:
    root = make({"data.yaml": "train: images\nval: images\nnames: [a]\n", "images/a.png": ""})
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.txt").write_text(ROW)
    (root / "labels").symlink_to(tmp_path / "other")
    found = read(root / "data.yaml")
    assert "leaves-root" in kinds(found).values()
    assert found.counts.rows == 0


def test_a_socket_is_no_label(make: Make) -> None:
    root = make({"data.yaml": "train: images\nval: images\nnames: [a]\n", "images/a.png": "", "labels/b.txt": ""})
    with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{short}/s")
        os.rename(f"{short}/s", root / "labels/a.txt")
        assert kinds(read(root / "data.yaml"))["labels/a.txt"] == "not-a-file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(make: Make) -> None:
    root = make({"data.yaml": "train: images\nval: images\nnames: [a]\n", "images/a.png": "", "labels/a.txt": ROW})
    (root / "labels/a.txt").chmod(0)
    assert kinds(read(root / "data.yaml"))["labels/a.txt"] == "unreadable-file"


def test_limits_leave_the_rest_unread_and_say_so(make: Make) -> None:
    root = make({"a.txt": ROW * 5, "b.txt": ROW, "c.txt": "x" * 100})
    found = read(root, limits=Limits(label_bytes=99, rows=3))
    assert kinds(found) == {"a.txt": "too-many-rows", "c.txt": "label-too-big"}
    assert found.incomplete
    assert (found.counts.rows, found.counts.skipped) == (4, 1)
    assert kinds(read(root, limits=Limits(line_bytes=50)))["c.txt"] == "line-too-long"
    assert "folder-too-deep" in kinds(read(make({"x/y/d.txt": ROW}), limits=Limits(depth=1))).values()
    assert "too-many-files" in kinds(read(root, limits=Limits(files=1))).values()


def test_names_that_are_no_text_are_read(make: Make) -> None:
    root = make({"data.yaml": "train: images\nval: images\nnames: [a]\n", "images/a.png": "", "labels/a.txt": ROW})
    for odd in (b"z\xff", b"e\x1b[2J\nx"):
        (root / "images" / os.fsdecode(odd + b".png")).write_bytes((root / "images/a.png").read_bytes())
        (root / "labels" / os.fsdecode(odd + b".txt")).write_text("9 0.5 0.5 0.5 0.5\n")
    found = read(root / "data.yaml")
    assert [fault.kind for fault in found.faults if fault.line] == ["class-out-of-range"] * 2
