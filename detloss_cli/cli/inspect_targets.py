"""detloss inspect targets"""

from __future__ import annotations

from typing import Annotated

import typer

from detloss_cli.cli import options as o
from detloss_cli.cli.emit import emit, sources
from detloss_cli.cli.grouping import Grouping
from detloss_cli.cli.groups import Caching, Output, Reading, Targets
from detloss_cli.cli.progress import busy
from detloss_cli.cli.request import request
from detloss_cli.cli.save import is_run, refuse_run, save_run
from detloss_cli.cli.sweeps import axes, sweep
from detloss_cli.errors import DetlossError
from detloss_cli.report.output import refuse, refuse_sources, write
from detloss_cli.report.picture_name import refuse_format

Image = Annotated[str | None, typer.Option("--image", metavar="PATH", help="One picture, box by box.")]
Save = Annotated[
    str | None, typer.Option("--save", metavar="FILE", help="The run as .npz; the picture as .webp, .png or .jpg.", rich_help_panel=o.OUT)
]


def inspect_targets(
    reading: Reading,
    caching: Caching,
    targets: Targets,
    *,
    image: Image = None,
    save: Save = None,
    sweeps: o.Sweep = None,
    grouping: Grouping,
    output: Output,
) -> int:
    """Which boxes get positives, on which level and anchor, and why the others get none.

    Also counts the slots that two boxes claim.
    """
    to = output.sink()
    chosen = axes(sweeps or ())
    if chosen and image is not None:
        raise DetlossError("one picture has no sweep", where="--sweep", hint="leave out --image")
    if save is not None and is_run(save):
        refuse_run(save, force=output.force)
    elif save is not None:
        if image is None:
            raise DetlossError("--save needs a picture to draw", hint="add --image PATH, or save the run as .npz")
        refuse_format(save)
        refuse(save, force=output.force, option="--save")
    if chosen and grouping.by is not None:
        raise DetlossError("--by counts one setting, --sweep shows several", where=f"--by {grouping.by}", hint="leave one of them out")
    grouped = grouping.asked(to)
    if image is not None and grouping.by is not None:
        raise DetlossError("--by counts all pictures, --image shows one", where=f"--by {grouping.by}", hint="leave one of them out")
    data = reading.asked(needed=targets.run is None)
    given = {**data, **targets.asked(), **grouped, **caching.asked(), "overrides": {}, "image": image}
    wanted = request("inspect targets", **given)
    with busy("building targets", quiet=output.quiet):
        from detloss_cli.diagnose import loss as diagnose
        from detloss_cli.diagnose.run_context import in_context

        work = diagnose.inspect_targets
        facts, findings = in_context(wanted, *(sweep("inspect targets", given, wanted, chosen, work) if chosen else work(wanted)))
    if save is not None and is_run(save):
        save_run(save, facts, force=output.force)
    if facts.image is not None:
        places = {facts.image.path, facts.image.label_path}
        findings = [finding for finding in findings if finding.where is not None and finding.where.path in places]
        if save is not None and not is_run(save) and facts.data is not None:
            refuse_sources(save, sources(facts.data), force=output.force, option="--save")
            from detloss_cli.report.picture import picture

            write(save, picture(facts.image, facts.levels or (), save))
    grouping.write(facts, to)
    return emit("inspect targets", facts, findings, to)
