"""detloss inspect hyp"""

from __future__ import annotations

from typing import Annotated

import typer

from detloss_cli.cli import options as o
from detloss_cli.cli import values
from detloss_cli.cli.cache import chosen
from detloss_cli.cli.emit import emit, sink
from detloss_cli.cli.progress import busy
from detloss_cli.cli.request import AUTO, request
from detloss_cli.report.report import MAX_FINDINGS


def inspect_hyp(
    hyp: Annotated[str | None, typer.Argument(metavar="HYP", help="A hyp yaml, or the name of a built-in one.", show_default=False)] = None,
    hyp_option: o.Hyp = None,
    data: o.DataOption = None,
    names: o.Names = None,
    root: o.Root = None,
    cache_dir: o.CacheDir = None,
    no_cache: o.NoCache = False,
    strict_cache: o.StrictCache = False,
    model: o.Model = None,
    imgsz: o.Imgsz = None,
    family: o.Family = AUTO,
    profile: o.Profile = None,
    trainer: o.Trainer = None,
    raw_gains: o.RawGains = False,
    run: o.Run = None,
    single_cls: o.SingleCls = False,
    nc: o.Nc = None,
    format: o.Format = None,
    output: o.Output = None,
    force: o.Force = False,
    fail_on: o.FailOn = "error",
    select: o.Select = None,
    ignore: o.Ignore = None,
    max_findings: o.MaxFindings = MAX_FINDINGS,
    quiet: o.Quiet = False,
) -> int:
    """Every key of a hyp file: read or dead, in range, and the gain that the loss ends up with.

    With --data the gains are those for its number of classes, else for 80.
    """
    to = sink(format, output, force, fail_on, max_findings, select, ignore)
    wanted = request(
        "inspect hyp",
        data=values.data(None, data, needed=False),
        hyp=hyp or hyp_option,
        names=names,
        root=root,
        cache=chosen(cache_dir, no_cache, strict_cache),
        model=model,
        imgsz=imgsz,
        family=family,
        profile=profile,
        trainer=trainer,
        raw_gains=raw_gains,
        run=run,
        overrides={},
        single_cls=single_cls,
        nc=nc,
    )
    with busy("reading the hyp", quiet=quiet):
        from detloss_cli import diagnose
        from detloss_cli.run_context import in_context

        facts, findings = in_context(wanted, *diagnose.inspect_hyp(wanted))
    return emit("inspect hyp", facts, findings, to)
