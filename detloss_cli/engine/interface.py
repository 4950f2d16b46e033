"""Which engine runs: here, or in processes. A cluster is one more function of the same type, `inputs.mapper.Mapper`.

    mapper = engine(workers)                     0: here, one shard after the other; None: a process a core
    for result in mapper(work, shards, name):    in the order of the shards, each once, whoever came first
        merge(result)

What is mapped knows nothing of the engine, and the engine nothing of what is mapped.
"""

from __future__ import annotations

import os

from detloss_cli.inputs.mapper import Mapper, serial

MOST_WORKERS = 256


def engine(workers: int | None = None) -> Mapper:
    """The engine for a number of worker processes.

    Args:
        workers: 0 for none, None for as many as there are cores.
    """
    count = cores() if workers is None else workers
    if count == 0 or (workers is None and count == 1):
        return serial
    from detloss_cli.engine.processes import Processes

    return Processes(min(count, MOST_WORKERS))


def cores() -> int:
    """CPUs that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
