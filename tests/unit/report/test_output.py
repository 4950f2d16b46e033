from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from detloss_cli.errors import DetlossError
from detloss_cli.report import output


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_whole_text_and_nothing_else(tmp_path: Path) -> None:
    output.write(str(tmp_path / "r.json"), "{é}\n")
    assert (tmp_path / "r.json").read_bytes() == "{é}\n".encode()
    assert names(tmp_path) == {"r.json"}


def test_rights_of_the_old_file_stay(tmp_path: Path) -> None:
    target = tmp_path / "r.txt"
    target.write_text("old")
    target.chmod(0o640)
    output.write(str(target), "new")
    assert (target.read_text(), stat.S_IMODE(target.stat().st_mode)) == ("new", 0o640)


@pytest.mark.parametrize("call", ["write", "fsync", "chmod", "replace"])
def test_a_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    target = tmp_path / "r.txt"
    target.write_text("old")

    def full(*arguments: object, **more: object) -> None:
        raise OSError(28, "No space left on device")

    if call == "write":
        monkeypatch.setattr(output, "open", full, raising=False)
    else:
        monkeypatch.setattr(output.os, call, full)
    with pytest.raises(DetlossError, match="No space left"):
        output.write(str(target), "new")
    assert target.read_text() == "old"
    assert names(tmp_path) == {"r.txt"}


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(output.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        output.write(str(tmp_path / "r.txt"), "new")
    assert names(tmp_path) == set()


def test_what_a_killed_run_left_is_swept(tmp_path: Path) -> None:
    old, fresh, other = tmp_path / ".detloss-1-aa", tmp_path / ".detloss-2-bb", tmp_path / "other"
    for path in (old, fresh, other):
        path.touch()
    os.utime(old, (0, 0))
    os.utime(other, (0, 0))
    output.write(str(tmp_path / "r.txt"), "x")
    assert names(tmp_path) == {"r.txt", ".detloss-2-bb", "other"}


def test_links_folders_and_devices_are_refused(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("intact")
    (tmp_path / "link").symlink_to("victim")
    os.mkfifo(tmp_path / "fifo")
    for name in ("link", "fifo", ".", "no/such"):
        with pytest.raises(DetlossError) as caught:
            output.refuse(str(tmp_path / name), force=False)
        assert caught.value.code == 2
    output.refuse(str(tmp_path / "new.json"), force=False)
    output.refuse(str(tmp_path / "link"), force=True)
    output.write(str(tmp_path / "link"), "new")
    assert (tmp_path / "victim").read_text() == "intact"
    assert not (tmp_path / "link").is_symlink()


def test_folders_of_the_data_are_refused(tmp_path: Path) -> None:
    images = tmp_path / "set" / "images" / "train"
    labels = tmp_path / "set" / "labels" / "train"
    for folder in (images, labels, tmp_path / "set" / "labels2"):
        folder.mkdir(parents=True)
    for folder in (images, labels):
        with pytest.raises(DetlossError, match="among the data"):
            output.refuse_sources(str(folder / "r.json"), [str(images)], force=False)
        output.refuse_sources(str(folder / "r.json"), [str(images)], force=True)
    for folder in (tmp_path, tmp_path / "set", tmp_path / "set" / "labels2"):
        output.refuse_sources(str(folder / "r.json"), [str(images)], force=False)
