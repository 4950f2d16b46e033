"""The command tree. Commands import what they need when they run: help and mistakes in the arguments stay quick."""

from __future__ import annotations

from typing import Annotated

import typer

from detloss_cli import __version__
from detloss_cli.cli import (
    cache,
    check,
    compare,
    compute,
    env,
    explain,
    families,
    inspect_anchors,
    inspect_hyp,
    inspect_labels,
    inspect_targets,
    preflight,
)
from detloss_cli.cli.groups import flat
from detloss_cli.cli.preflight import TrainCommand
from detloss_cli.cli.spelling import OrderedGroup, SpelledCommand

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
inspect = typer.Typer(cls=OrderedGroup, help="One stage at a time: labels, targets, anchors, hyp.", rich_markup_mode="rich")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"detloss {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version and exit.")] = False,
) -> None:
    return


app.command("compute", cls=SpelledCommand)(flat(compute.compute))
app.add_typer(inspect, name="inspect")
inspect.command("labels", cls=SpelledCommand)(flat(inspect_labels.inspect_labels))
inspect.command("targets", cls=SpelledCommand)(flat(inspect_targets.inspect_targets))
inspect.command("anchors", cls=SpelledCommand)(flat(inspect_anchors.inspect_anchors))
inspect.command("hyp", cls=SpelledCommand)(flat(inspect_hyp.inspect_hyp))
app.command("compare", cls=SpelledCommand)(flat(compare.compare))
app.command("check", cls=SpelledCommand)(flat(check.check))
app.command("preflight", cls=TrainCommand)(flat(preflight.preflight))
app.command("explain", cls=SpelledCommand)(explain.explain)
app.command("families", cls=SpelledCommand)(families.families)
app.command("env", cls=SpelledCommand)(env.env)
app.command("cache", cls=SpelledCommand)(cache.cache)
