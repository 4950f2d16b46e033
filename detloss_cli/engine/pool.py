"""Worker processes and who has which shard: results in order, a lost worker's shard run again, each shard counted once."""

from __future__ import annotations

import contextlib
import multiprocessing
import sys
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import Connection, wait
from typing import Any

from detloss_cli.engine.worker import serve
from detloss_cli.errors import BUG, DetlossError
from detloss_cli.inputs.mapper import Tell
from detloss_cli.inputs.memory import give_back

# A shard that takes long must not let the others' results pile up: so many a worker are begun at most before it is done.
AHEAD = 4
MOST_LOSSES = 2
PATIENCE_SECONDS = 1.0


@dataclass(slots=True)
class _Task:
    """index: of the shard. losses: how often its worker was lost. at: the item that was last in hand, as far as it told."""

    index: int
    shard: Any
    losses: int = 0
    at: int = 0


@dataclass(slots=True)
class _Worker:
    process: Any
    end: Connection[Any, Any]
    task: _Task | None = None


@dataclass(slots=True)
class Pool:
    """Up to `count` processes that run `work`. name: what an item of a shard is called."""

    count: int
    work: Callable[[Any, Tell | None], Any]
    name: Callable[[Any, int], str]
    workers: list[_Worker] = field(default_factory=list)
    again: list[_Task] = field(default_factory=list)

    def begun(self, shards: Iterator[Any]) -> _Handed:
        """Hands out the first shards; the results in the order of the shards, and when the last has been taken the workers are gone."""
        coming = (_Task(index, shard) for index, shard in enumerate(shards))
        give_back()
        begun = 0  # not the number of workers: one may be lost as it is asked
        for task in islice(coming, self.count):
            begun += 1
            self.workers.append(self._started())
            self._ask(self.workers[-1], task)
        return _Handed(self, self._results(coming, begun))

    def _results(self, coming: Iterator[_Task], begun: int) -> Generator[Any]:
        try:
            yield from self._in_order(coming, begun)
        finally:
            self.close()

    def _in_order(self, coming: Iterator[_Task], begun: int) -> Iterator[Any]:
        ready: dict[int, Any] = {}
        given = 0
        more = True
        while True:
            while (self.again or (more and begun < given + AHEAD * self.count)) and (worker := self._idle()) is not None:
                task = self.again.pop() if self.again else next(coming, None)
                if task is None:
                    more = False
                    break
                begun = max(begun, task.index + 1)
                self._ask(worker, task)
            busy = {worker.end: worker for worker in self.workers if worker.task is not None}
            for end in wait(list(busy)) if busy else ():
                self._hear(busy[end], ready)  # type: ignore[index]
            while given in ready:
                yield ready.pop(given)
                given += 1
            if not more and given == begun and not self.again:
                return

    def _idle(self) -> _Worker | None:
        """A worker without a task; a new one as long as there are too few."""
        for worker in self.workers:
            if worker.task is None:
                return worker
        if len(self.workers) < self.count:
            self.workers.append(self._started())
            return self.workers[-1]
        return None

    def _started(self) -> _Worker:
        context = multiprocessing.get_context(_method())
        here, there = context.Pipe()
        forked = context.get_start_method() == "fork"
        others = (here, *(worker.end for worker in self.workers)) if forked else ()
        process = context.Process(target=serve, args=(there, others), daemon=True)  # type: ignore[attr-defined]
        process.start()
        there.close()
        return _Worker(process, here)

    def _ask(self, worker: _Worker, task: _Task) -> None:
        worker.task = task
        try:
            worker.end.send((self.work, task.shard, task.losses > 0))
        except OSError:
            self._lost(worker)

    def _hear(self, worker: _Worker, ready: dict[int, Any]) -> None:
        task = worker.task
        if task is None:
            return
        try:
            kind, value = worker.end.recv()
        except (EOFError, OSError):
            self._lost(worker)
            return
        if kind == "at":
            task.at = value
        elif kind == "raised":
            raise value
        else:
            ready[task.index] = value
            worker.task = None

    def _lost(self, worker: _Worker) -> None:
        """The worker is gone; its shard goes to another one, which tells what it takes in hand.

        Raises:
            DetlossError: it is the second time.
        """
        self.workers.remove(worker)
        _end(worker)
        task = worker.task
        if task is None:
            return
        task.losses += 1
        if task.losses == MOST_LOSSES:
            raise DetlossError(
                "a worker process died twice over this file",
                where=self.name(task.shard, task.at),
                hint="something killed it, perhaps for its memory; --workers 0 does without processes",
                code=BUG,
            )
        self.again.append(task)

    def close(self) -> None:
        """Nobody works on."""
        for worker in self.workers:
            worker.process.kill()
        for worker in self.workers:
            _end(worker)
        self.workers.clear()
        give_back()


@dataclass(slots=True)
class _Handed:
    """Results that are being worked on already: a generator that nobody has asked yet would not notice that it is closed."""

    pool: Pool
    rest: Generator[Any]

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return next(self.rest)

    def close(self) -> None:
        """The workers are gone."""
        self.rest.close()
        self.pool.close()


def _end(worker: _Worker) -> None:
    worker.end.close()
    worker.process.join(PATIENCE_SECONDS)
    if worker.process.is_alive():
        worker.process.kill()
        worker.process.join(PATIENCE_SECONDS)
    with contextlib.suppress(ValueError):
        worker.process.close()


def _method() -> str:
    """A fork shares what is loaded and starts in milliseconds. Not of torch: its threads do not survive, and workers do without it."""
    forks = sys.platform == "linux" and "torch" not in sys.modules
    return "fork" if forks else "spawn"
