"""detloss inspect hyp"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from detloss_cli.cli import options as o
from detloss_cli.cli import values
from detloss_cli.cli.emit import emit
from detloss_cli.cli.groups import Caching, Output, Trainer
from detloss_cli.cli.progress import busy
from detloss_cli.cli.request import request


@dataclass(frozen=True)
class Known:
    """What a hyp file is held against, if anything."""

    data_option: o.DataOption = None
    names: o.Names = None
    root: o.Root = None


def inspect_hyp(
    known: Known,
    caching: Caching,
    trainer: Trainer,
    *,
    named: Annotated[
        str | None, typer.Argument(metavar="HYP", help="A hyp yaml, or the name of a built-in one.", show_default=False)
    ] = None,
    raw_gains: o.RawGains = False,
    single_cls: o.SingleCls = False,
    nc: o.Nc = None,
    output: Output,
) -> int:
    """Every key of a hyp file: read or dead, in range, and the gain that the loss ends up with.

    With --data the gains are those for its number of classes, else for 80.
    """
    to = output.sink()
    wanted = request(
        "inspect hyp",
        **{**trainer.asked(), "hyp": named or trainer.hyp},
        data=values.data(None, known.data_option, needed=False),
        names=known.names,
        root=known.root,
        **caching.asked(),
        raw_gains=raw_gains,
        overrides={},
        single_cls=single_cls,
        nc=nc,
    )
    with busy("reading the hyp", quiet=output.quiet):
        from detloss_cli.diagnose import loss as diagnose
        from detloss_cli.diagnose.run_context import in_context

        facts, findings = in_context(wanted, *diagnose.inspect_hyp(wanted))
    return emit("inspect hyp", facts, findings, to)
