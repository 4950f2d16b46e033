"""Caches of trainers are looked through, never loaded."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detloss_cli.inputs import foreign_cache
from detloss_cli.inputs.cache_stamps import Stamped, stamps_now
from detloss_cli.inputs.foreign_cache import cache_faults


class Payload:
    def __init__(self, marker: str) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (self.marker, "w"))


def entries(folder: Path, names: tuple[str, ...]) -> dict[str, Any]:
    """What yolov5 keeps: picture -> labels, shape, segments."""
    return {str(folder / "images" / name): [np.zeros((2, 5), np.float32), (640, 480), []] for name in names} | {"hash": "x", "version": 0.6}


@pytest.fixture
def data(tmp_path: Path) -> tuple[Path, list[str], list[str]]:
    (tmp_path / "labels").mkdir()
    labels = [tmp_path / "labels" / "a.txt", tmp_path / "labels" / "b.txt"]
    for label in labels:
        label.write_text("0 0.5 0.5 0.2 0.2\n")
        os.utime(label, (1000, 1000))
    return tmp_path, [str(tmp_path / "images" / name) for name in ("a.jpg", "b.jpg")], [str(label) for label in labels]


def judged(folder: Path, pictures: list[str], labels: list[str]) -> tuple[str, str, str]:
    (fault,) = cache_faults([str(folder / "labels.cache")], pictures, labels)
    return fault.kind, fault.token, fault.detail


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("form", ["npy", "zip", "bare"])
def test_a_matching_cache_is_only_named(data: tuple[Path, list[str], list[str]], form: str, protocol: int) -> None:
    folder, _, _ = data
    body = pickle.dumps(entries(folder, ("a.jpg", "b.jpg")), protocol)
    file = folder / "labels.cache"
    if form == "npy":
        header = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }\n"
        body = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + body
    elif form == "zip":
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("archive/data.pkl", body)
        body = out.getvalue()
    file.write_bytes(body)
    assert judged(*data)[0] == "cache-foreign"


def test_edits_and_other_pictures_make_it_stale(data: tuple[Path, list[str], list[str]]) -> None:
    folder, _, labels = data
    file = folder / "labels.cache"
    file.write_bytes(pickle.dumps(entries(folder, ("a.jpg", "b.jpg"))))
    os.utime(labels[0], (4e9, 4e9))
    assert judged(*data) == ("cache-stale", "", "1 label files changed after it was written")
    file.write_bytes(pickle.dumps(entries(folder, ("a.jpg", "c.jpg", "d.jpg"))))
    assert judged(*data)[2] == "it names 2 pictures that are gone and lacks 1"


def test_times_that_reading_took_are_not_asked_for_again(data: tuple[Path, list[str], list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    folder, pictures, labels = data
    file = folder / "labels.cache"
    file.write_bytes(pickle.dumps(entries(folder, ("a.jpg", "b.jpg"))))
    os.utime(file, (2000, 2000))
    os.utime(labels[0], (3000, 3000))

    def said(*files: int) -> str:
        keys = stamps_now([labels[n] for n in files], follow=False)
        with monkeypatch.context() as patch:
            patch.setattr(foreign_cache, "_changed", lambda label: asked.append(label) or os.stat(label).st_mtime_ns)
            stamped = Stamped(np.array(files, dtype=np.int64), keys, np.zeros((len(files), 0), np.uint8))
            return cache_faults([str(file)], pictures, labels, stamped)[0].detail

    for files in ((), (0,), (1,), (1, 0)):
        asked: list[str] = []
        assert said(*files) == "1 label files changed after it was written"
        assert asked == [labels[n] for n in (0, 1) if n not in files]
    os.utime(labels[0], (1000, 1000))
    assert said(0, 1) == ""


def test_a_label_that_is_no_file_was_not_changed(data: tuple[Path, list[str], list[str]]) -> None:
    folder, pictures, labels = data
    file = folder / "other.cache"
    file.write_bytes(pickle.dumps(entries(folder, ("a.jpg", "b.jpg"))))
    os.utime(file, (500, 500))
    (folder / "link.txt").symlink_to(labels[0])
    for other, count in ((str(folder), 1), (str(folder / "gone.txt"), 1), ("", 1), ("\0", 1), (str(folder / "link.txt"), 2)):
        assert cache_faults([str(file)], pictures, [other, labels[1]])[0].detail.startswith(f"{count} label files")


@pytest.mark.parametrize("again", [True, False])
def test_a_cache_that_goes_while_it_is_judged(
    again: bool, data: tuple[Path, list[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trainer unlinks its cache and writes it anew: what is said is of the one that was read."""
    file = data[0] / "labels.cache"
    file.write_bytes(pickle.dumps(entries(data[0], ("a.jpg", "b.jpg"))))
    os.utime(file, (500, 500))
    inner = foreign_cache.look_through

    def gone(*arguments: Any) -> Any:
        file.unlink()
        if again:
            file.touch()
        return inner(*arguments)

    monkeypatch.setattr(foreign_cache, "look_through", gone)
    assert judged(*data) == ("cache-stale", "", "2 label files changed after it was written")


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_what_would_run_is_named_and_not_run(data: tuple[Path, list[str], list[str]], protocol: int, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    (data[0] / "labels.cache").write_bytes(pickle.dumps({"x": Payload(str(marker))}, protocol))
    kind, token, _ = judged(*data)
    assert kind == "cache-runs-code"
    assert token.endswith("open")
    assert not marker.exists()


@pytest.mark.parametrize(
    "body", [b"", b"PK\x03\x04", b"\x93NUMPY\x01\x00\x10", b"\x80\x04\x8c\xff", b"text", b"\x80\x02q", b"\x80\x04h\xff."]
)
def test_anything_broken_is_an_info(data: tuple[Path, list[str], list[str]], body: bytes) -> None:
    (data[0] / "labels.cache").write_bytes(body)
    assert judged(*data)[0] in ("cache-unread", "cache-foreign")


def archive(compression: int, body: bytes) -> bytearray:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as file:
        file.writestr("x/data.pkl", body)
    return bytearray(out.getvalue())


def ends_early() -> bytes:
    """An archive whose directory promises more bytes than there are."""
    data = archive(zipfile.ZIP_STORED, b"a" * 500)
    sizes = data.find(b"PK\x01\x02") + 20
    data[sizes : sizes + 8] = (5000).to_bytes(4, "little") * 2
    return bytes(data)


def flipped(compression: int, first: int, last: int) -> bytes:
    """An archive with some bytes of the member turned round."""
    data = archive(compression, bytes(range(250)) + b"abc" * 400)
    return bytes(data[:first] + bytes(byte ^ 0xFF for byte in data[first:last]) + data[last:])


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (ends_early(), "EOFError"),
        (flipped(zipfile.ZIP_LZMA, 50, 90), "LZMAError"),
        (flipped(zipfile.ZIP_DEFLATED, 40, 60), "error"),
        (flipped(zipfile.ZIP_BZIP2, 40, 60), "OSError"),
    ],
)
def test_a_broken_archive_is_an_info(data: tuple[Path, list[str], list[str]], body: bytes, name: str) -> None:
    (data[0] / "labels.cache").write_bytes(body)
    assert judged(*data) == ("cache-unread", "", f"cut short or of an unknown kind ({name})")


def test_more_than_a_cache_has_is_not_looked_through(data: tuple[Path, list[str], list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    file = data[0] / "labels.cache"
    file.write_bytes(b"\x80\x04N" + b"\x94" * (5 << 20) + b"j\xff\xff\xff\x7f" * 2 + b"\x93.")
    assert judged(*data) == ("cache-unread", "", "more in it than a label cache has, not looked through to the end")
    monkeypatch.setattr(foreign_cache, "MOST_ENTRIES", 2)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as full:
        for name in ("a/data.pkl", "a/version", "a/data/0"):
            full.writestr(name, pickle.dumps({}))
    file.write_bytes(out.getvalue())
    assert judged(*data)[2].startswith("more in it")


def test_what_runs_before_the_break_is_named(data: tuple[Path, list[str], list[str]]) -> None:
    (data[0] / "labels.cache").write_bytes(b"\x80\x04cos\nsystem\n\xff")
    assert judged(*data)[:2] == ("cache-runs-code", "os.system")
