"""detloss inspect targets"""

from __future__ import annotations

from typing import Annotated

import typer

from detloss_cli.cli import options as o
from detloss_cli.cli import values
from detloss_cli.cli.cache import chosen
from detloss_cli.cli.emit import emit, sink, sources
from detloss_cli.cli.progress import busy
from detloss_cli.cli.request import AUTO, request
from detloss_cli.errors import DetlossError
from detloss_cli.report.output import refuse, refuse_sources, write
from detloss_cli.report.picture import picture, refuse_format
from detloss_cli.report.report import MAX_FINDINGS

Image = Annotated[str | None, typer.Option("--image", metavar="PATH", help="One picture, box by box.")]
Save = Annotated[str | None, typer.Option("--save", metavar="FILE", help="Draw it: .webp, .png or .jpg.", rich_help_panel=o.OUT)]


def inspect_targets(
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
    batch_size: o.BatchSize = None,
    run: o.Run = None,
    single_cls: o.SingleCls = False,
    classes: o.Classes = None,
    nc: o.Nc = None,
    rect: o.Rect = False,
    anchors: o.Anchors = None,
    noautoanchor: o.NoAutoAnchor = False,
    geometry: o.Geometry = None,
    device: o.Device = AUTO,
    image: Image = None,
    save: Save = None,
    format: o.Format = None,
    output: o.Output = None,
    force: o.Force = False,
    fail_on: o.FailOn = "error",
    select: o.Select = None,
    ignore: o.Ignore = None,
    max_findings: o.MaxFindings = MAX_FINDINGS,
    quiet: o.Quiet = False,
) -> int:
    """Which boxes get positives, on which level and anchor, and why the others get none.

    Also counts the slots that two boxes claim.
    """
    to = sink(format, output, force, fail_on, max_findings, select, ignore)
    if save is not None:
        if image is None:
            raise DetlossError("--save needs a picture to draw", hint="add --image PATH")
        refuse_format(save)
        refuse(save, force=force, option="--save")
    wanted = request(
        "inspect targets",
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
        batch_size=batch_size,
        run=run,
        overrides={},
        single_cls=single_cls,
        classes=classes,
        nc=nc,
        rect=rect,
        anchors=anchors,
        noautoanchor=noautoanchor,
        geometry=geometry,
        device=device,
        image=image,
    )
    with busy("building targets", quiet=quiet):
        from detloss_cli import diagnose
        from detloss_cli.run_context import in_context

        facts, findings = in_context(wanted, *diagnose.inspect_targets(wanted))
    if facts.image is not None:
        findings = [finding for finding in findings if finding.where is not None and finding.where.path == facts.image.label_path]
        if save is not None and facts.data is not None:
            refuse_sources(save, sources(facts.data), force=force, option="--save")
            write(save, picture(facts.image, facts.levels or (), save))
    return emit("inspect targets", facts, findings, to)
