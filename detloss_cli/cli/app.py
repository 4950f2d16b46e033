"""The command tree. A command's module is imported, and its options are built, when its name is typed: the others cost nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Annotated

import typer

from detloss_cli import __version__
from detloss_cli.cli.spelling import OrderedGroup, SpelledCommand

# Command -> its module, whose function has the same name, and the first words of its page, in the order of the help page.
Table = Mapping[str, tuple[str, str]]
FIRST: Table = {
    "compute": ("compute", "The loss of a data set: per level, per term, weighted, with shares."),
}
INSPECT: Table = {
    "labels": ("inspect_labels", "What the label files hold, and what the trainer's loader would do with each row."),
    "targets": ("inspect_targets", "Which boxes get positives, on which level and anchor, and why the others get none."),
    "anchors": ("inspect_anchors", "How well the anchors suit the boxes: best possible recall, matches of each, order, units, reach."),
    "hyp": ("inspect_hyp", "Every key of a hyp file: read or dead, in range, and the gain that the loss ends up with."),
}
REST: Table = {
    "compare": ("compare", "Which boxes gain or lose positives between two runs, and what else moves: terms, levels, gains, lost rows."),
    "check": ("check", "Everything as a gate: labels, data.yaml, hyp, anchors and targets against bounds and a baseline."),
    "preflight": ("preflight", "The checks of `check` and the loss of step 0 for exactly one training, before it starts."),
    "explain": ("explain", "The manual page of one finding or topic; without CODE, what there is."),
    "families": ("families", "The losses that are built in: releases, sources, licences of the originals."),
    "env": ("env", "Versions, devices, folders and limits: what a report of a bug should hold."),
    "cache": ("cache", "The label cache: where it is, what it takes, and away with it."),
}


def build(words: Sequence[str] | None = None) -> typer.Typer:
    """The commands that a command line can mean: the one that it begins with; else all, with their first words.

    Args:
        words: of the command line; None for all commands whole.
    """
    app = typer.Typer(
        name="detloss",
        cls=OrderedGroup,
        help="What the loss of an object detector will do with your labels, and why.",
        epilog="Start with: detloss compute DATA",
        no_args_is_help=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    first, second = (*(words or ())[:2], "", "")[:2]
    known = first == "inspect" or first in FIRST or first in REST
    for table in (FIRST, REST):
        if table is REST and (first == "inspect" or not known):
            inspect = typer.Typer(cls=OrderedGroup, help="One stage at a time: labels, targets, anchors, hyp.", rich_markup_mode="rich")
            _add(inspect, INSPECT, second, whole=words is None)
            app.add_typer(inspect, name="inspect")
        if not known or first in table:
            _add(app, table, first, whole=words is None)
    return app


def _add(app: typer.Typer, table: Table, wanted: str, *, whole: bool) -> None:
    """One command of a table; where it has no such one all of them, whole or as they are listed."""
    for name, (module, words) in table.items():
        if name == wanted or (whole and wanted not in table):
            from detloss_cli.cli.groups import flat  # which loads what any command needs

            found = import_module(f"detloss_cli.cli.{module}")
            app.command(name, cls=getattr(found, "TrainCommand", SpelledCommand))(flat(getattr(found, module)))
        elif wanted not in table:
            app.command(name, help=words)(_listed)


def _listed() -> None:
    """Stands for a command that was not typed."""


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"detloss {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version and exit.")] = False,
) -> None:
    return
