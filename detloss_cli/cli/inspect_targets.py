"""detloss inspect targets"""

from __future__ import annotations

from detloss_cli.cli import options as o
from detloss_cli.cli import values
from detloss_cli.cli.emit import emit, sink
from detloss_cli.cli.progress import busy
from detloss_cli.cli.request import AUTO, request
from detloss_cli.report.report import MAX_FINDINGS


def inspect_targets(
    data: o.Data = None,
    data_option: o.DataOption = None,
    split: o.Split = None,
    names: o.Names = None,
    root: o.Root = None,
    image_sizes: o.ImageSizes = None,
    loader: o.Loader = None,
    hyp: o.Hyp = None,
    model: o.Model = None,
    imgsz: o.Imgsz = None,
    family: o.Family = AUTO,
    profile: o.Profile = None,
    trainer: o.Trainer = None,
    batch_size: o.BatchSize = 16,
    geometry: o.Geometry = None,
    device: o.Device = AUTO,
    format: o.Format = None,
    output: o.Output = None,
    force: o.Force = False,
    fail_on: o.FailOn = "error",
    max_findings: o.MaxFindings = MAX_FINDINGS,
    quiet: o.Quiet = False,
) -> int:
    """Which boxes get positives, on which level and anchor, and why the others get none.

    Also counts the slots that two boxes claim.
    """
    to = sink(format, output, force, fail_on, max_findings)
    wanted = request(
        "inspect targets",
        data=values.data(data, data_option),
        split=split,
        names=names,
        root=root,
        image_sizes=image_sizes,
        loader=loader,
        hyp=hyp,
        model=model,
        imgsz=imgsz,
        family=family,
        profile=profile,
        trainer=trainer,
        batch_size=batch_size,
        geometry=geometry,
        device=device,
    )
    with busy("building targets", quiet=quiet):
        from detloss_cli import diagnose

        facts, findings = diagnose.inspect_targets(wanted)
    return emit("inspect targets", facts, findings, to)
