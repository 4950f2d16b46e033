"""Shards over processes: the same results as one after the other, whatever happens to the workers."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from detloss_cli.engine import pool
from detloss_cli.engine.interface import engine
from detloss_cli.engine.pool import Pool
from detloss_cli.engine.processes import Processes
from detloss_cli.errors import BUG, DetlossError
from detloss_cli.inputs.mapper import Tell, serial

Numbers = tuple[int, ...]


def name(shard: Numbers, item: int) -> str:
    return f"item {shard[item]}"


def squares(shard: Numbers, tell: Tell | None) -> tuple[Numbers, int]:
    return tuple(number * number for number in shard), os.getpid()


def slow_first(shard: Numbers, tell: Tell | None) -> Numbers:
    time.sleep(0.2 if 0 in shard else 0)
    return shard


def refuse(shard: Numbers, tell: Tell | None) -> Numbers:
    if 5 in shard:
        raise DetlossError("five", where="here", code=4)
    return shard


def killed_once(shard: tuple[str, int], tell: Tell | None) -> int:
    """Dies the first time that it sees shard 3."""
    folder, number = shard
    if number == 3 and tell is None:
        os.kill(os.getpid(), signal.SIGKILL)
    Path(folder, f"{number}-{os.getpid()}").touch()
    return number


def killed_at_seven(shard: Numbers, tell: Tell | None) -> Numbers:
    """Dies at item 7 each time, and has told so the second time."""
    for place, number in enumerate(shard):
        if tell is not None:
            tell(place)
        if number == 7:
            os.kill(os.getpid(), signal.SIGKILL)
    return shard


def modules(shard: Numbers, tell: Tell | None) -> list[str]:
    return sorted({"torch", "typer", "rich"} & set(sys.modules))


def shards(count: int, size: int = 3) -> list[Numbers]:
    return [tuple(range(first, first + size)) for first in range(0, count * size, size)]


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_come_in_the_order_of_the_shards(workers: int) -> None:
    own = [numbers for numbers, _ in serial(squares, shards(20), name)]
    found = list(Processes(workers)(squares, shards(20), name))
    assert [numbers for numbers, _ in found] == own
    assert os.getpid() not in {pid for _, pid in found}
    assert len({pid for _, pid in found}) <= workers


def test_a_slow_shard_holds_up_its_followers_but_not_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Numbers] = []

    def counted() -> Iterator[Numbers]:
        for shard in shards(40):
            taken.append(shard)
            yield shard

    results = Processes(2)(slow_first, counted(), name)
    assert next(results) == (0, 1, 2)
    assert len(taken) <= pool.AHEAD * 2 + 1
    assert [*results] == shards(40)[1:]


def test_one_shard_starts_no_process() -> None:
    assert list(Processes(4)(squares, shards(1), name)) == [((0, 1, 4), os.getpid())]
    assert list(Processes(4)(squares, [], name)) == []


def test_none_is_a_process_a_core_and_zero_is_none() -> None:
    assert engine(0) is serial
    assert engine(3) == Processes(3)
    assert engine(1) == Processes(1)


def test_a_lost_shard_is_run_again_and_counted_once(tmp_path: Path) -> None:
    found = list(Processes(2)(killed_once, [(str(tmp_path), n) for n in range(12)], lambda shard, item: str(shard[1])))
    assert found == list(range(12))
    assert sorted(int(path.name.split("-")[0]) for path in tmp_path.iterdir()) == list(range(12))


def test_the_same_shard_lost_twice_names_what_was_in_hand() -> None:
    started = time.monotonic()
    with pytest.raises(DetlossError) as caught:
        list(Processes(2)(killed_at_seven, shards(8), name))
    assert time.monotonic() - started < 5
    assert caught.value.code == BUG
    assert caught.value.where == "item 7"


@pytest.mark.parametrize("workers", [0, 2])
def test_what_a_worker_raises_arrives_whole(workers: int) -> None:
    with pytest.raises(DetlossError) as caught:
        list(engine(workers)(refuse, shards(4), name))
    assert (caught.value.message, caught.value.where, caught.value.code) == ("five", "here", 4)


@pytest.mark.parametrize(("count", "victim"), [(2, 1), (2, 2), (3, 1), (3, 2), (3, 3)])
def test_a_worker_lost_before_it_gets_its_first_shard_costs_no_result(count: int, victim: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more shards than workers, so that nothing but the first round hands them out."""
    started, start = [], Pool._started

    def lost(self: Pool) -> object:
        worker = start(self)
        started.append(worker)
        if len(started) == victim:
            worker.process.kill()
            worker.process.join()
        return worker

    monkeypatch.setattr(Pool, "_started", lost)
    large = [(number,) * 100_000 for number in range(count)]  # more than a pipe holds
    assert list(Processes(3)(slow_first, large, name)) == large


def test_workers_are_gone_when_nobody_listens_any_more() -> None:
    results = Processes(2)(squares, shards(50), name)
    pid = next(results)[1]
    results.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize("count", [2, 50])
def test_workers_are_gone_when_nobody_has_listened_yet(count: int) -> None:
    results = Processes(2)(squares, shards(count), name)
    assert len(multiprocessing.active_children()) == 2
    results.close()
    assert not multiprocessing.active_children()
    assert next(results, None) is None


def test_spawned_workers_do_the_same_and_load_nothing_of_the_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_method", lambda: "spawn")
    assert [numbers for numbers, _ in Processes(2)(squares, shards(6), name)] == [
        numbers for numbers, _ in serial(squares, shards(6), name)
    ]
    assert list(Processes(2)(modules, shards(3), name)) == [[], [], []]


def test_torch_is_not_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", sys)
    assert pool._method() == "spawn"
