"""The command tree. A command's module is imported, and its options are built, when its name is typed: the others cost nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Annotated

import typer

from detloss_cli import __version__
from detloss_cli.cli.groups import flat
from detloss_cli.cli.spelling import OrderedGroup, SpelledCommand

# Command -> its module and function, in the order of the help page.
FIRST: Mapping[str, tuple[str, str]] = {"compute": ("compute", "compute")}
INSPECT: Mapping[str, tuple[str, str]] = {
    "labels": ("inspect_labels", "inspect_labels"),
    "targets": ("inspect_targets", "inspect_targets"),
    "anchors": ("inspect_anchors", "inspect_anchors"),
    "hyp": ("inspect_hyp", "inspect_hyp"),
}
REST: Mapping[str, tuple[str, str]] = {
    "compare": ("compare", "compare"),
    "check": ("check", "check"),
    "preflight": ("preflight", "preflight"),
    "explain": ("explain", "explain"),
    "families": ("families", "families"),
    "env": ("env", "env"),
    "cache": ("cache", "cache"),
}


def build(words: Sequence[str] = ()) -> typer.Typer:
    """The commands that a command line can mean: the one that it begins with, all where it begins with anything else."""
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
    first, second = (*words[:2], "", "")[:2]
    known = first == "inspect" or first in FIRST or first in REST
    for table in (FIRST, REST):
        if table is REST and (first == "inspect" or not known):
            inspect = typer.Typer(cls=OrderedGroup, help="One stage at a time: labels, targets, anchors, hyp.", rich_markup_mode="rich")
            _add(inspect, INSPECT, second)
            app.add_typer(inspect, name="inspect")
        if not known or first in table:
            _add(app, table, first)
    return app


def _add(app: typer.Typer, table: Mapping[str, tuple[str, str]], wanted: str) -> None:
    """One command of a table; all where it has no such one."""
    for name, (module, function) in table.items():
        if name == wanted or wanted not in table:
            found = import_module(f"detloss_cli.cli.{module}")
            app.command(name, cls=getattr(found, "TrainCommand", SpelledCommand))(flat(getattr(found, function)))


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"detloss {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version and exit.")] = False,
) -> None:
    return
