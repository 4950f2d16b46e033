"""Shards over worker processes of this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain, islice

from detloss_cli.inputs.mapper import Result, Results, Shard, Tell, serial


@dataclass(frozen=True, slots=True)
class Processes:
    """A `Mapper` over some processes. They begin when there is a second shard, and are gone when the last result has been taken, or
    they are closed."""

    workers: int

    def __call__(
        self, work: Callable[[Shard, Tell | None], Result], shards: Iterable[Shard], name: Callable[[Shard, int], str]
    ) -> Results[Result]:
        left = iter(shards)
        first = list(islice(left, 2))
        if len(first) < 2:
            return serial(work, first, name)
        from detloss_cli.engine.pool import Pool  # a small input does not pay for the modules of processes either

        return Pool(self.workers, work, name).begun(chain(first, left))
