"""detloss cache"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from detloss_cli.cli import options as o
from detloss_cli.cli import values
from detloss_cli.cli.emit import emit, sink
from detloss_cli.cli.say import say
from detloss_cli.errors import DetlossError

if TYPE_CHECKING:
    from detloss_cli.inputs.cache import Cache

ACTIONS = ("show", "where", "size", "clear")


def chosen(cache_dir: str | None, no_cache: bool, strict: bool) -> Cache | None:
    """The cache that the options ask for. In CI it is a strict one: a checkout gives files the times it likes."""
    if no_cache:
        return None
    from detloss_cli.inputs.cache import Cache, default_folder

    in_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
    return Cache(os.path.abspath(cache_dir) if cache_dir is not None else default_folder(), strict or in_ci, say)


def cache(
    action: Annotated[str, typer.Argument(metavar="ACTION", help="show, where, size or clear.")] = "show",
    cache_dir: o.CacheDir = None,
    format: o.Format = None,
    output: o.Output = None,
    force: o.Force = False,
) -> int:
    """The label cache: where it is, what it takes, and away with it.

    It holds what was read from label files and the sizes of pictures. Anything
    wrong with it, or a file that has changed, and the files are read instead.
    """
    to = sink(format, output, force)
    values.one_of(action, ACTIONS, "ACTION")
    from detloss_cli.inputs.cache import clear, default_folder, held

    folder = os.path.abspath(cache_dir) if cache_dir is not None else default_folder()
    files = held(folder)
    found: dict[str, str | int] = {"folder": folder, "files": len(files), "bytes": sum(size for _, size, _ in files)}
    if action == "clear":
        try:
            found = {"folder": folder, "removed": clear(folder)}
        except OSError as error:
            raise DetlossError(f"cannot be emptied: {error.strerror}", where=folder, hint="check its permissions") from error
    elif action in ("where", "size"):
        found = {"folder": folder} if action == "where" else {"bytes": found["bytes"]}
    return emit("cache", None, (), to, extra={"environment": {"cache": found}})
