"""How work over many files is spread: a plain callable type, so that reading knows nothing of processes or clusters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

Shard = TypeVar("Shard")
Result = TypeVar("Result")
Tell = Callable[[int], None]


class Mapper(Protocol):
    """Runs a function over shards, somewhere."""

    def __call__(
        self, work: Callable[[Shard, Tell | None], Result], shards: Iterable[Shard], name: Callable[[Shard, int], str]
    ) -> Iterator[Result]:
        """The results in the order of the shards, each once, as soon as they are there.

        Args:
            work: a function of a module, for it may run in another process. Its second argument is None the first time. A shard whose
                worker was lost is run again, and then says the number of each item before it takes it in hand.
            shards: taken one by one, as there is somebody to work on them. They and the results can be pickled.
            name: what an item of a shard is called in a message.

        Raises:
            DetlossError: the worker of the same shard was lost twice.
            Exception: what `work` raised.
        """
        ...


def serial(work: Callable[[Shard, Tell | None], Result], shards: Iterable[Shard], name: Callable[[Shard, int], str]) -> Iterator[Result]:
    """One after the other, here."""
    return (work(shard, None) for shard in shards)
