"""How work over many files is spread: a plain callable type, so that reading knows nothing of processes or clusters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

Shard = TypeVar("Shard")
Result = TypeVar("Result")
Given = TypeVar("Given", covariant=True)
Tell = Callable[[int], None]


class Results(Protocol[Given]):
    """What a mapper gives, one result after the other."""

    def __iter__(self) -> Iterator[Given]: ...

    def __next__(self) -> Given: ...

    def close(self) -> None:
        """Nobody wants the rest: whoever works on it stops, also before the first result was taken."""
        ...


class Mapper(Protocol):
    """Runs a function over shards, somewhere."""

    def __call__(
        self, work: Callable[[Shard, Tell | None], Result], shards: Iterable[Shard], name: Callable[[Shard, int], str]
    ) -> Results[Result]:
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


def serial(work: Callable[[Shard, Tell | None], Result], shards: Iterable[Shard], name: Callable[[Shard, int], str]) -> Results[Result]:
    """One after the other, here."""
    return (work(shard, None) for shard in shards)
