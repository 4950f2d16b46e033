"""The label cache: the same result with it as without, whatever became of the files or of the cache in between."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from detloss_cli.inputs import cache_stamps, cached_sizes
from detloss_cli.inputs.cache import Cache, clear, default_folder, held
from detloss_cli.inputs.data_yaml import read_data
from detloss_cli.inputs.dataset import DataSet, read_dataset
from detloss_cli.inputs.labels_read import LabelsRead

SAMPLE = Path(__file__).resolve().parents[3] / "sample_data" / "vegetables"
ODD = "0 .5 .5 .2 .2\n0 1.5 .5 .2 .2\n# a\n0 .1 .1 .9 .1 .9 .9\n\xff\n"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small set that is old enough to be kept, with a file of each kind."""
    root = tmp_path / "set"
    shutil.copytree(SAMPLE, root)
    labels = sorted((root / "labels").rglob("*.txt"))
    labels[0].write_bytes(ODD.encode("latin-1"))
    labels[1].write_text("0 .5 .5 .2 .2\n" * 2)
    labels[2].unlink()
    labels[3].write_text("")
    for module in (cache_stamps, cached_sizes):
        monkeypatch.setattr(module, "TICK_NS", -(10**12))
    return root


def read(root: Path, cache: Cache | None, loader: str = "strict", **options: object) -> DataSet:
    spec, _ = read_data(str(root / "data.yaml"))
    given = {"num_classes": None, "sizes": True, **options}
    return read_dataset(spec, tuple(spec.splits), loader, cache=cache, **given)  # type: ignore[arg-type]


def same(one: DataSet, other: DataSet) -> bool:
    """Equal to the bit."""
    for name in ("labels", "strict"):
        a, b = getattr(one, name), getattr(other, name)
        for column in ("image", "cls", "boxes", "line"):
            x, y = getattr(a, column), getattr(b, column)
            if (x.dtype, x.shape, x.tobytes()) != (y.dtype, y.shape, y.tobytes()):
                return False
        if (a.images.path, a.images.label_path) != (b.images.path, b.images.label_path):
            return False
        if not (np.array_equal(a.images.width, b.images.width) and np.array_equal(a.images.height, b.images.height)):
            return False
    return (one.faults, one.fates, one.counts) == (other.faults, other.fates, other.counts)


class Opened:
    """Counts what is read: the labels that the reader is asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.files = 0
        import detloss_cli.inputs.cached_labels as module

        inner = module.read_labels

        def counting(paths: list[str], *args: object, **kwargs: object) -> LabelsRead:
            if "stamps" in kwargs:
                self.files += sum(bool(path) for path in paths)
            return inner(paths, *args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr(module, "read_labels", counting)


@pytest.mark.parametrize("loader", ["strict", "yolov5-7.0", "yolov7", "ultralytics-8.4"])
@pytest.mark.parametrize("strict", [False, True])
def test_a_second_run_reads_no_label_and_says_the_same(
    data: Path, tmp_path: Path, loader: str, strict: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = Cache(str(tmp_path / "cache"), strict)
    plain = read(data, None, loader)
    assert same(read(data, cache, loader), plain)
    opened = Opened(monkeypatch)
    assert same(read(data, cache, loader), plain)
    assert opened.files == 0
    assert any(fault.kind == "centre-outside" for fault in plain.faults)


def test_only_what_changed_is_read_again(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(str(tmp_path / "cache"))
    read(data, cache)
    label = sorted((data / "labels").rglob("*.txt"))[5]
    label.write_text("0 .25 .25 .125 .125\n")
    opened = Opened(monkeypatch)
    assert same(read(data, cache), read(data, None))
    assert opened.files == 1
    assert same(read(data, cache), read(data, None))
    assert opened.files == 1


def test_a_same_size_edit_with_its_time_put_back_is_noticed(data: Path, tmp_path: Path) -> None:
    cache = Cache(str(tmp_path / "cache"))
    read(data, cache)
    label = sorted((data / "labels").rglob("*.txt"))[5]
    before, text = label.stat(), label.read_bytes()
    label.write_bytes((b"8" if text[:1] == b"9" else b"9") + text[1:])
    os.utime(label, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert label.stat().st_size == before.st_size
    assert same(read(data, cache), read(data, None))


def test_the_strict_cache_knows_a_file_by_its_content(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(str(tmp_path / "cache"), strict=True)
    read(data, cache)
    label = sorted((data / "labels").rglob("*.txt"))[5]
    text = label.read_bytes()
    inner = cache_stamps._stamp
    frozen = {label.name: inner(str(label), None, False)}
    monkeypatch.setattr(cache_stamps, "_stamp", lambda name, fd, follow: frozen.get(name) or inner(name, fd, follow))
    label.write_bytes((b"8" if text[:1] == b"9" else b"9") + text[1:])
    assert same(read(data, cache), read(data, None))


def test_a_young_file_is_not_kept(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_stamps, "TICK_NS", 3600 * 10**9)
    monkeypatch.setattr(cached_sizes, "TICK_NS", 3600 * 10**9)
    cache = Cache(str(tmp_path / "cache"))
    read(data, cache)
    assert held(cache.folder) == []


def test_other_settings_have_a_cache_of_their_own(data: Path, tmp_path: Path) -> None:
    cache = Cache(str(tmp_path / "cache"))
    for loader in ("strict", "yolov7"):
        for classes in (None, 3):
            assert same(read(data, cache, loader, num_classes=classes), read(data, None, loader, num_classes=classes))
    assert len([path for path, _, _ in held(cache.folder) if "labels-" in path]) == 4


def test_one_split_leaves_the_other_in_the_cache(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(str(tmp_path / "cache"))
    spec, _ = read_data(str(data / "data.yaml"))
    options = {"num_classes": None, "sizes": False}
    for split in ("train", "val"):
        read_dataset(spec, (split,), "strict", cache=cache, **options)  # type: ignore[arg-type]
    opened = Opened(monkeypatch)
    for splits in (("train",), ("val",), ("train", "val")):
        kept = read_dataset(spec, splits, "strict", cache=cache, **options)  # type: ignore[arg-type]
        assert same(kept, read_dataset(spec, splits, "strict", **options))  # type: ignore[arg-type]
    assert opened.files == 0


def test_random_changes_between_runs(data: Path, tmp_path: Path) -> None:
    draw = random.Random(5)
    cache = Cache(str(tmp_path / "cache"))
    texts = ["", "0 .5 .5 .1 .1\n", ODD, "0 .5 .5 .1 .1\r\n1 .5 .5 .2 .2", "0 .1 .1 .2 .1 .2 .2\n", "3 .5 .5 .1 .1\n" * 3]
    for _ in range(40):
        labels = sorted((data / "labels").rglob("*.txt"))
        for label in draw.sample(labels, draw.randrange(4)):
            match draw.randrange(4):
                case 0:
                    label.unlink()
                case 1:
                    label.rename(label.with_name(f"{draw.randrange(99)}.txt"))
                case _:
                    label.write_bytes(draw.choice(texts).encode("latin-1"))
        for picture in draw.sample(sorted((data / "images").rglob("*.*")), 2):
            picture.with_name(f"{draw.randrange(99)}.jpg").write_bytes(draw.choice([b"", picture.read_bytes()]))
        if draw.random() < 0.3:
            damage(cache, draw)
        assert same(read(data, cache), read(data, None))


def damage(cache: Cache, draw: random.Random) -> None:
    for path, size, _ in held(cache.folder):
        body = bytearray(Path(path).read_bytes())
        match draw.randrange(4):
            case 0:
                body = body[: draw.randrange(size)]
            case 1:
                body[draw.randrange(size)] ^= 1 << draw.randrange(8)
            case 2:
                body += b"\0"
            case _:
                body = bytearray(b"\xff" * 4096)
        Path(path).write_bytes(body)


def test_a_damaged_cache_is_a_miss(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(str(tmp_path / "cache"))
    plain = read(data, cache)
    for path, size, _ in held(cache.folder):
        Path(path).write_bytes(Path(path).read_bytes()[: size // 2])
    opened = Opened(monkeypatch)
    assert same(read(data, cache), plain)
    assert opened.files > 0


def test_a_cache_that_others_can_write_to_is_left_alone(data: Path, tmp_path: Path) -> None:
    notes: list[str] = []
    cache = Cache(str(tmp_path / "cache"), note=notes.append)
    read(data, cache)
    os.chmod(cache.folder, 0o777)
    names = [path for path, _, _ in held(cache.folder)]
    assert cache.load("labels", {}) is None
    for path in names:
        os.unlink(path)
    read(data, cache)
    assert held(cache.folder) == []
    assert "can be written by others" in notes[0]


def test_it_is_made_for_its_owner_alone(data: Path, tmp_path: Path) -> None:
    cache = Cache(str(tmp_path / "a" / "cache"))
    read(data, cache)
    assert os.stat(cache.folder).st_mode & 0o777 == 0o700
    assert {os.stat(path).st_mode & 0o777 for path, _, _ in held(cache.folder)} == {0o600}
    assert clear(cache.folder) == 2
    assert held(cache.folder) == []


def test_it_is_never_among_the_data(data: Path) -> None:
    notes: list[str] = []
    before = sorted(data.rglob("*"))
    for inside in ("labels/train/cache", "images/train/cache"):
        read(data, Cache(str(data / inside), note=notes.append))
    assert sorted(data.rglob("*")) == before
    assert all("among the data" in note for note in notes)
    assert len(notes) == 2


def test_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert default_folder() == "/x/detloss"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/h")
    assert default_folder() == "/h/.cache/detloss"


def test_two_pictures_of_one_label(data: Path, tmp_path: Path) -> None:
    cache = Cache(str(tmp_path / "cache"))
    picture = next(iter(sorted((data / "images" / "train").iterdir())))
    shutil.copy(picture, picture.with_suffix(".bmp"))
    for _ in range(3):
        assert same(read(data, cache, "yolov7"), read(data, None, "yolov7"))
