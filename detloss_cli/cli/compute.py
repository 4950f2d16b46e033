"""detloss compute"""

from __future__ import annotations

from detloss_cli.cli import options as o
from detloss_cli.cli import values
from detloss_cli.cli.cache import chosen
from detloss_cli.cli.emit import emit, sink
from detloss_cli.cli.progress import busy
from detloss_cli.cli.request import AUTO, request, switched
from detloss_cli.report.report import MAX_FINDINGS


def compute(
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
    geometry: o.Geometry = None,
    raw_gains: o.RawGains = False,
    head: o.Head = "prior",
    preds: o.Preds = None,
    run: o.Run = None,
    single_cls: o.SingleCls = False,
    classes: o.Classes = None,
    nc: o.Nc = None,
    rect: o.Rect = False,
    anchors: o.Anchors = None,
    noautoanchor: o.NoAutoAnchor = False,
    what_if: o.WhatIf = None,
    autobalance: o.AutoBalance = False,
    gr: o.Gr = None,
    label_smoothing: o.LabelSmoothing = None,
    sort_obj_iou: o.SortObjIou = False,
    device: o.Device = AUTO,
    seed: o.Seed = 0,
    format: o.Format = None,
    output: o.Output = None,
    force: o.Force = False,
    fail_on: o.FailOn = "error",
    select: o.Select = None,
    ignore: o.Ignore = None,
    max_findings: o.MaxFindings = MAX_FINDINGS,
    quiet: o.Quiet = False,
) -> int:
    """The loss of a data set: per level, per term, weighted, with shares.

    Reads labels and hyp as the trainer does, builds the targets, and says what
    each level, term and gain adds. Every option has a default that works.
    """
    to = sink(format, output, force, fail_on, max_findings, select, ignore)
    wanted = request(
        "compute",
        data=values.data(data, data_option, needed=preds is None and run is None),
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
        geometry=geometry,
        raw_gains=raw_gains,
        head=head,
        preds=preds,
        run=run,
        single_cls=single_cls,
        classes=classes,
        nc=nc,
        rect=rect,
        anchors=anchors,
        noautoanchor=noautoanchor,
        what_if=what_if,
        overrides=switched(autobalance=autobalance or None, gr=gr, label_smoothing=label_smoothing, sort_obj_iou=sort_obj_iou or None),
        device=device,
        seed=seed,
    )
    with busy("computing the loss", quiet=quiet):
        from detloss_cli import diagnose
        from detloss_cli.run_context import in_context

        facts, findings = in_context(wanted, *diagnose.compute(wanted))
    return emit("compute", facts, findings, to)
