"""detloss inspect labels"""

from __future__ import annotations

from detloss_cli.cli import options as o
from detloss_cli.cli import values
from detloss_cli.cli.cache import chosen
from detloss_cli.cli.emit import emit, sink
from detloss_cli.cli.progress import busy
from detloss_cli.cli.request import request
from detloss_cli.report.report import MAX_FINDINGS


def inspect_labels(
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
    imgsz: o.Imgsz = None,
    format: o.Format = None,
    output: o.Output = None,
    force: o.Force = False,
    fail_on: o.FailOn = "error",
    select: o.Select = None,
    ignore: o.Ignore = None,
    max_findings: o.MaxFindings = MAX_FINDINGS,
    quiet: o.Quiet = False,
) -> int:
    """What the label files hold, and what the trainer's loader would do with each row.

    Every split is read unless --split names some. Each fault is listed by file,
    line and column.
    """
    to = sink(format, output, force, fail_on, max_findings, select, ignore)
    wanted = request(
        "inspect labels",
        data=values.data(data, data_option),
        split=split,
        names=names,
        root=root,
        image_sizes=image_sizes,
        loader=loader,
        cache=chosen(cache_dir, no_cache, strict_cache),
        imgsz=imgsz,
    )
    with busy("reading labels", quiet=quiet):
        from detloss_cli import diagnose

        facts, findings = diagnose.inspect_labels(wanted)
    return emit("inspect labels", facts, findings, to)
