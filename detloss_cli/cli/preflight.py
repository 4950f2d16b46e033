"""detloss preflight"""

from __future__ import annotations

from typing import Annotated

import typer
from typer._click import Context
from typer.core import TyperCommand

from detloss_cli.cli import options as o
from detloss_cli.cli.emit import emit
from detloss_cli.cli.from_run import merged
from detloss_cli.cli.groups import Caching, Output
from detloss_cli.cli.progress import busy
from detloss_cli.cli.settled import settle
from detloss_cli.cli.spelling import value_options
from detloss_cli.inputs.thresholds import Thresholds

Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="TRAIN COMMAND", help="As you would type it; parsed, never run.", show_default=False),
]


class TrainCommand(TyperCommand):
    """Options stand before the train command; from its first word on everything is the trainer's."""

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        ctx.allow_interspersed_args = False
        settle(ctx, self, [])
        return super().parse_args(ctx, self._ordered(args))

    def _ordered(self, args: list[str]) -> list[str]:
        """A train command that was quoted whole goes last: what stands behind it, as in `"python train.py ..." --format json`, is ours."""
        values, at = value_options(self), 0
        while at < len(args) and args[at].startswith("-") and args[at] != "--":
            at += 2 if args[at] in values else 1
        whole = at < len(args) and len(args[at].split()) > 1
        return [*args[:at], *args[at + 1 :], args[at]] if whole else args


def preflight(
    caching: Caching,
    *,
    words: Words = None,
    root: o.Root = None,
    profile: o.Profile = None,
    model: o.Model = None,
    loader: o.Loader = None,
    device: o.Device = "cpu",
    output: Output,
) -> int:
    """The checks of `check` and the loss of step 0 for exactly one training, before it starts.

    detloss preflight python train.py --img 640 --data d.yaml && python train.py ...
    The command is read word by word and never run. Exit 0: nothing stands in
    its way.
    """
    from detloss_cli.inputs.train_command import read_command

    to = output.sink()
    given = dict.fromkeys(("hyp", "imgsz", "batch_size", "anchors", "family")) | {"data": (), "classes": (), "overrides": {}}
    given |= dict.fromkeys(("single_cls", "rect"), False) | {"profile": profile, "model": model, "loader": loader}
    from detloss_cli.resolve import Request

    limits = caching.limits()
    wanted = Request(
        command="preflight",
        root=root,
        device=device,
        **caching.asked(),
        **merged(given, read_command(words or [], root=root, limits=limits)),
    )
    with busy("checking", quiet=output.quiet):
        from detloss_cli.diagnose.preflight import preflight as checked

        facts, findings = checked(wanted, Thresholds())
    return emit("preflight", facts, findings, to)
