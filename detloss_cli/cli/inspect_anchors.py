"""detloss inspect anchors"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Annotated

import typer

from detloss_cli.cli import options as o
from detloss_cli.cli.emit import emit, sources
from detloss_cli.cli.groups import Caching, Output, Reading, Trainer
from detloss_cli.cli.progress import busy
from detloss_cli.cli.request import request
from detloss_cli.report.anchors_yaml import anchors_yaml
from detloss_cli.report.output import refuse, refuse_sources, write

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
    reading: Reading,
    caching: Caching,
    trainer: Trainer,
    *,
    geometry: o.Geometry = None,
    refit: Refit = False,
    seed: Seed = 0,
    generations: Generations = 1000,
    write_anchors: Write = None,
    output: Output,
) -> int:
    """How well the anchors suit the boxes: best possible recall, matches of each, order, units, reach.

    --refit fits others by k-means and evolution. A head with a number for anchors
    (anchors: 3) is always fitted.
    """
    option = WRITE
    path = output.output
    if write_anchors is None and path is not None and os.path.splitext(path)[1].lower() in (".yaml", ".yml"):
        write_anchors, output, option = path, replace(output, output=None), "--output"
    to = output.sink()
    if write_anchors is not None:
        refuse(write_anchors, force=output.force, option=option)
    data = reading.asked(needed=trainer.run is None)
    wanted = request("inspect anchors", **data, **trainer.asked(), **caching.asked(), geometry=geometry, overrides={})
    with busy("matching anchors", quiet=output.quiet):
        from detloss_cli.diagnose.anchors import Fit, inspect_anchors
        from detloss_cli.diagnose.run_context import in_context

        facts, findings = in_context(wanted, *inspect_anchors(wanted, Fit(refit or write_anchors is not None, seed, generations)))
    if write_anchors is not None and facts.anchors is not None and facts.anchors.fitted is not None and facts.data is not None:
        refuse_sources(write_anchors, sources(facts.data), force=output.force, option=option)
        write(write_anchors, anchors_yaml(facts.anchors))
    return emit("inspect anchors", facts, findings, to)
