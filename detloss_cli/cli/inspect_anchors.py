"""detloss inspect anchors"""

from __future__ import annotations

import os
from typing import Annotated

import typer

from detloss_cli.cli import options as o
from detloss_cli.cli import values
from detloss_cli.cli.cache import chosen
from detloss_cli.cli.emit import emit, sink, sources
from detloss_cli.cli.progress import busy
from detloss_cli.cli.request import AUTO, request
from detloss_cli.report.anchors_yaml import anchors_yaml
from detloss_cli.report.output import refuse, refuse_sources, write
from detloss_cli.report.report import MAX_FINDINGS

FIT = "Fit"
WRITE = "--write-anchors"
Refit = Annotated[bool, typer.Option("--refit", help="Fit anchors to the boxes, beside the present ones.", rich_help_panel=FIT)]
Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Of the fit.", rich_help_panel=FIT)]
Generations = Annotated[
    int, typer.Option("--generations", metavar="N", min=0, max=1_000_000, help="Of its evolution.", rich_help_panel=FIT)
]
Write = Annotated[
    str | None,
    typer.Option(WRITE, metavar="FILE", help="Fit, and write a yaml that --model reads. Also -o FILE.yaml.", rich_help_panel=FIT),
]


def inspect_anchors(
    data: o.Data = None,
    data_option: o.DataOption = None,
    split: o.Split = None,
    names: o.Names = None,
    root: o.Root = None,
    image_sizes: o.ImageSizes = None,
    loader: o.Loader = None,
    cache_dir: o.CacheDir = None,
    no_cache: o.NoCache = False,
    strict_cache: o.StrictCache = False,
    hyp: o.Hyp = None,
    model: o.Model = None,
    imgsz: o.Imgsz = None,
    family: o.Family = AUTO,
    profile: o.Profile = None,
    trainer: o.Trainer = None,
    geometry: o.Geometry = None,
    run: o.Run = None,
    refit: Refit = False,
    seed: Seed = 0,
    generations: Generations = 1000,
    write_anchors: Write = None,
    format: o.Format = None,
    output: o.Output = None,
    force: o.Force = False,
    fail_on: o.FailOn = "error",
    select: o.Select = None,
    ignore: o.Ignore = None,
    max_findings: o.MaxFindings = MAX_FINDINGS,
    quiet: o.Quiet = False,
) -> int:
    """How well the anchors suit the boxes: best possible recall, matches of each, order, units, reach.

    --refit fits others by k-means and evolution. A head with a number for anchors
    (anchors: 3) is always fitted.
    """
    option = WRITE
    if write_anchors is None and output is not None and os.path.splitext(output)[1].lower() in (".yaml", ".yml"):
        write_anchors, output, option = output, None, "--output"
    to = sink(format, output, force, fail_on, max_findings, select, ignore)
    if write_anchors is not None:
        refuse(write_anchors, force=force, option=option)
    wanted = request(
        "inspect anchors",
        data=values.data(data, data_option, needed=run is None),
        split=split,
        names=names,
        root=root,
        image_sizes=image_sizes,
        loader=loader,
        cache=chosen(cache_dir, no_cache, strict_cache),
        hyp=hyp,
        model=model,
        imgsz=imgsz,
        family=family,
        profile=profile,
        trainer=trainer,
        geometry=geometry,
        run=run,
        overrides={},
    )
    with busy("matching anchors", quiet=quiet):
        from detloss_cli.diagnose_anchors import Fit, inspect_anchors
        from detloss_cli.run_context import in_context

        facts, findings = in_context(wanted, *inspect_anchors(wanted, Fit(refit or write_anchors is not None, seed, generations)))
    if write_anchors is not None and facts.anchors is not None and facts.anchors.fitted is not None and facts.data is not None:
        refuse_sources(write_anchors, sources(facts.data), force=force, option=option)
        write(write_anchors, anchors_yaml(facts.anchors))
    return emit("inspect anchors", facts, findings, to)
