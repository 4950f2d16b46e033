"""Reading with worker processes: the same bytes whoever reads, and nothing lost or hung when a worker is."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from child import ended, fork, forked, make_set, warm_up

from detloss_cli.engine import pool
from detloss_cli.inputs import label_shard, read_labels
from detloss_cli.inputs.label_shard import LabelShard
from detloss_cli.inputs.labels_read import LabelsRead
from detloss_cli.inputs.mapper import Tell

IMAGES, SHARD = 20, 3
VICTIM = "00007.txt"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Faults of several kinds in several shards, a picture without a label, a label without a picture, a repeated box."""
    root = tmp_path_factory.mktemp("data") / "set"
    path = make_set(root, IMAGES, text="0 0.5 0.5 0.2 0.2\n1 0.25 0.123456789012345678 0.1 0.1\n")
    labels = root / "labels/train"
    (labels / "00003.txt").write_text("0 0.5 0.5 0.2\nx\n")
    (labels / "00004.txt").unlink()
    (labels / "00009.txt").write_text("0 .5 .5 .2 .2\n0 .5 .5 .2 .2\n")
    (labels / "zzz.txt").write_text("0 .5 .5 .2 .2\n")
    return path


def reading(data: Path, workers: int, *more: str) -> list[str]:
    return ["inspect", "labels", str(data), "--workers", str(workers), "--no-cache", "--format", "json", *more]


def small(
    shard: int = SHARD, batch: int = 1 << 20, work: Callable[[LabelShard, Tell | None], LabelsRead] | None = None
) -> Callable[[], None]:
    """What a child changes before it runs: small shards, batches, another reader, and a fork though this process may have torch."""

    def before() -> None:
        read_labels.SHARD_FILES, label_shard.BATCH_BYTES = shard, batch
        pool._method = lambda: "fork"  # type: ignore[assignment]
        if work is not None:
            read_labels.read_shard = work  # type: ignore[assignment]

    return before


def holds_victim(shard: LabelShard) -> bool:
    return any(path.endswith(VICTIM) for path in shard.paths)


def lost_once(shard: LabelShard, tell: Tell | None = None) -> LabelsRead:
    if tell is None and holds_victim(shard):
        os.kill(os.getpid(), signal.SIGKILL)
    return label_shard.read_shard(shard, tell)


def lost_always(shard: LabelShard, tell: Tell | None = None) -> LabelsRead:
    """A reader that a certain file kills."""

    def telling(item: int) -> None:
        if tell is not None:
            tell(item)
        if shard.paths[item].endswith(VICTIM):
            os.kill(os.getpid(), signal.SIGKILL)

    return label_shard.read_shard(shard, telling)


def says_torch(shard: LabelShard, tell: Tell | None = None) -> LabelsRead:
    Path(os.environ["DETLOSS_TEST_SAYS"], str(os.getpid())).write_text(str("torch" in sys.modules))
    return label_shard.read_shard(shard, tell)


def slow(shard: LabelShard, tell: Tell | None = None) -> LabelsRead:
    Path(os.environ["DETLOSS_TEST_SAYS"], str(os.getpid())).touch()
    time.sleep(30)
    return label_shard.read_shard(shard, tell)


def test_the_same_bytes_for_any_workers_shards_and_batches(data: Path) -> None:
    plain = forked(reading(data, 0), small(1000))
    assert plain.code == 1
    assert "not-numeric" in plain.out
    for workers, shard, batch in ((0, 1, 1), (1, 3, 40), (2, 1, 1), (2, 7, 1 << 20), (5, 3, 100)):
        done = forked(reading(data, workers), small(shard, batch))
        assert (done.out, done.err, done.code) == (plain.out, plain.err, plain.code), (workers, shard, batch)


def test_a_lost_worker_changes_nothing(data: Path) -> None:
    plain = forked(reading(data, 0), small())
    done = forked(reading(data, 2), small(work=lost_once))
    assert (done.out, done.err, done.code) == (plain.out, plain.err, plain.code)
    assert done.seconds < 5


def test_the_same_shard_lost_twice_ends_with_the_name_of_the_file(data: Path) -> None:
    done = forked(reading(data, 2), small(work=lost_always))
    assert done.code == 3
    assert done.seconds < 5
    line = done.err.strip()
    assert "\n" not in line
    assert f"labels/train/{VICTIM}" in line
    assert "--workers 0" in line


def test_workers_do_without_torch(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DETLOSS_TEST_SAYS", str(tmp_path))
    if "torch" in sys.modules:
        monkeypatch.delitem(sys.modules, "torch")
    done = forked(reading(data, 2), small(work=says_torch))
    assert done.code == 1
    said = [path.read_text() for path in tmp_path.iterdir()]
    assert len(said) >= 2  # the label without a picture is read by the parent
    assert set(said) == {"False"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_workers_too(number: signal.Signals, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from detloss_cli.cli.main import run

    monkeypatch.setenv("DETLOSS_TEST_SAYS", str(tmp_path))
    warm_up()

    def work() -> int:
        sys.stderr = sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        small(work=slow)()
        return run(reading(data, 2))

    child = fork(work)
    deadline = time.monotonic() + 20
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    started = time.monotonic()
    os.kill(child, number)
    assert ended(child) == {signal.SIGINT: 130, signal.SIGTERM: 143}[number]
    assert time.monotonic() - started < 2
    workers = [int(path.name) for path in tmp_path.iterdir()]
    assert len(workers) == 2
    for pid in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
