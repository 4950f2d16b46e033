"""--save: a picture, or a run as a file, by the end of its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from detloss_cli.cli.emit import sources
from detloss_cli.errors import DetlossError
from detloss_cli.report.output import refuse, refuse_sources, write

if TYPE_CHECKING:
    from detloss_cli.facts import Facts

OPTION = "--save"
SUFFIX = ".npz"


def is_run(path: str) -> bool:
    """Whether the file is to hold a run."""
    return path.lower().endswith(SUFFIX)


def refuse_run(path: str, *, force: bool) -> None:
    """Before any work is done: what is no npz, and what must not be written.

    Raises:
        DetlossError: as `report.output.refuse`.
    """
    if not is_run(path):
        raise DetlossError("a run is saved as .npz", where=f"{OPTION} {path}", hint=f"{OPTION} run.npz")
    refuse(path, force=force, option=OPTION)


def save_run(path: str, facts: Facts, *, force: bool) -> None:
    """The run as a file, whole or not at all."""
    from detloss_cli.facts.saved_run import columns_of
    from detloss_cli.inputs.run_file import packed

    if facts.data is not None:
        refuse_sources(path, sources(facts.data), force=force, option=OPTION)
    write(path, packed(columns_of(facts)))
