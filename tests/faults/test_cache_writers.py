"""Writers of one cache that race, or are killed in the middle: every reader gets what it would have got without a cache."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from child import ended, fork, make_set

from detloss_cli.inputs import cache_file, cache_stamps
from detloss_cli.inputs.cache import SUFFIX, Cache, held
from detloss_cli.inputs.data_yaml import read_data
from detloss_cli.inputs.dataset import DataSet, read_dataset

POINTS, WRITERS, ROUNDS = 20, 8, 50


def read(data: Path, cache: Cache | None, loader: str = "yolov7") -> DataSet:
    spec, _ = read_data(str(data))
    return read_dataset(spec, tuple(spec.splits), loader, num_classes=None, sizes=False, cache=cache)


def said(found: DataSet) -> tuple[object, ...]:
    labels = found.labels
    columns = (labels.image, labels.cls, labels.boxes, labels.line)
    return (found.faults, found.fates, found.counts, *(column.tobytes() for column in columns))


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cache_stamps, "TICK_NS", -(10**12))
    return make_set(tmp_path / "set", 12)


def slowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a millisecond at each step of a write, so that a kill hits any of them."""
    for name in ("open", "replace"):
        inner = getattr(os, name)

        def slow(*args: object, _inner: object = inner, **kwargs: object) -> object:
            time.sleep(0.0005)
            return _inner(*args, **kwargs)  # type: ignore[operator]

        monkeypatch.setattr(cache_file.os, name, slow)


def test_killed_in_the_middle(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(str(tmp_path / "cache"))
    plain = said(read(data, None))
    draw = random.Random(1)
    slowed(monkeypatch)
    parts = 0

    def work() -> int:
        while True:
            for file in Path(cache.folder).glob(f"*{SUFFIX}"):
                file.unlink()
            read(data, cache)

    for _ in range(POINTS):
        child = fork(work)
        time.sleep(0.03 + draw.random() * 0.05)
        os.kill(child, signal.SIGKILL)
        assert ended(child) == -signal.SIGKILL
        parts = max(parts, sum(SUFFIX not in path for path, _, _ in held(cache.folder)))
        assert said(read(data, cache)) == plain
    for path, _, _ in held(cache.folder):
        os.utime(path, (time.time() - 7200,) * 2)
        if path.endswith(SUFFIX):
            os.unlink(path)
    if not parts:  # no kill left one: put one there
        Path(cache.folder, f"{cache_file.PART}1-x").write_bytes(b"torn")
        os.utime(Path(cache.folder, f"{cache_file.PART}1-x"), (0, 0))
    assert said(read(data, cache)) == plain
    assert [path for path, _, _ in held(cache.folder) if not path.endswith(SUFFIX)] == []
    assert len(held(cache.folder)) == 1


def test_a_part_of_a_running_writer_is_left_alone(data: Path, tmp_path: Path) -> None:
    cache = Cache(str(tmp_path / "cache"))
    read(data, cache)
    part = Path(cache.folder, f"{cache_file.PART}1-x")
    part.write_bytes(b"half")
    for path, _, _ in held(cache.folder):
        if path.endswith(SUFFIX):
            os.unlink(path)
    read(data, cache)
    assert part.exists()


def test_racing_writers(data: Path, tmp_path: Path) -> None:
    cache = Cache(str(tmp_path / "cache"))
    plain = {loader: said(read(data, None, loader)) for loader in ("yolov7", "strict")}

    def worker(number: int) -> int:
        draw = random.Random(number)
        for _ in range(ROUNDS):
            loader = draw.choice(["yolov7", "strict"])
            if said(read(data, cache, loader)) != plain[loader]:
                return 1
            for path, _, _ in held(cache.folder):
                if draw.random() < 0.3 and path.endswith(SUFFIX):
                    Path(path).unlink(missing_ok=True)
        return 0

    children = [fork(lambda number=number: worker(number)) for number in range(WRITERS)]  # type: ignore[misc]
    assert [ended(child) for child in children] == [0] * WRITERS
    for loader in plain:
        read(data, cache, loader)
        assert said(read(data, cache, loader)) == plain[loader]
    assert [path for path, _, _ in held(cache.folder) if not path.endswith(SUFFIX)] == []
