"""detloss inspect targets"""

from __future__ import annotations

from typing import Annotated

import typer

from detloss_cli.cli import options as o
from detloss_cli.cli.emit import emit, sources
from detloss_cli.cli.groups import Caching, Output, Reading, Targets
from detloss_cli.cli.progress import busy
from detloss_cli.cli.request import request
from detloss_cli.errors import DetlossError
from detloss_cli.report.output import refuse, refuse_sources, write
from detloss_cli.report.picture_name import refuse_format

Image = Annotated[str | None, typer.Option("--image", metavar="PATH", help="One picture, box by box.")]
Save = Annotated[str | None, typer.Option("--save", metavar="FILE", help="Draw it: .webp, .png or .jpg.", rich_help_panel=o.OUT)]


def inspect_targets(reading: Reading, caching: Caching, targets: Targets, *, image: Image = None, save: Save = None, output: Output) -> int:
    """Which boxes get positives, on which level and anchor, and why the others get none.

    Also counts the slots that two boxes claim.
    """
    to = output.sink()
    if save is not None:
        if image is None:
            raise DetlossError("--save needs a picture to draw", hint="add --image PATH")
        refuse_format(save)
        refuse(save, force=output.force, option="--save")
    data = reading.asked(needed=targets.run is None)
    wanted = request("inspect targets", **data, **targets.asked(), cache=caching.cache, overrides={}, image=image)
    with busy("building targets", quiet=output.quiet):
        from detloss_cli import diagnose
        from detloss_cli.run_context import in_context

        facts, findings = in_context(wanted, *diagnose.inspect_targets(wanted))
    if facts.image is not None:
        findings = [finding for finding in findings if finding.where is not None and finding.where.path == facts.image.label_path]
        if save is not None and facts.data is not None:
            refuse_sources(save, sources(facts.data), force=output.force, option="--save")
            from detloss_cli.report.picture import picture

            write(save, picture(facts.image, facts.levels or (), save))
    return emit("inspect targets", facts, findings, to)
