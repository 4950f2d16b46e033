"""A worker process: takes a shard, answers with its result, until nobody asks any more."""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import signal
import traceback
from collections.abc import Iterable
from multiprocessing.connection import Connection
from typing import Any, Literal

Kind = Literal["at", "done", "raised"]


def serve(asked: Connection[Any, Any], others: Iterable[Connection[Any, Any]] = ()) -> None:
    """Work until the other end is closed.

    Args:
        asked: the end of this worker. Takes (work, shard, whether to tell), gives (kind, value).
        others: ends of the parent that a fork brought along: as long as they are open here, a worker does not see its parent leave.
    """
    gc.freeze()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for other in others:
        other.close()
    try:
        while True:
            work, shard, telling = asked.recv()
            try:
                answer: tuple[Kind, Any] = ("done", work(shard, (lambda item: asked.send(("at", item))) if telling else None))
            except Exception as error:
                answer = ("raised", _portable(error))
            asked.send(answer)
    except (EOFError, OSError):
        pass  # the parent has gone
    finally:
        os._exit(0)  # nothing of the parent's is flushed or cleaned up a second time


def _portable(error: Exception) -> Exception:
    """The error as it arrives on the other side, or its words where it cannot travel; where it was raised goes along as a note."""
    error.add_note("".join(traceback.format_tb(error.__traceback__)))
    with contextlib.suppress(Exception):
        pickle.loads(pickle.dumps(error))
        return error
    return RuntimeError(f"{type(error).__name__}: {error}")
