"""detloss inspect labels"""

from __future__ import annotations

from detloss_cli.cli import options as o
from detloss_cli.cli import values
from detloss_cli.cli.cache import chosen
from detloss_cli.cli.emit import emit, sink
from detloss_cli.cli.label_lists import lists_of
from detloss_cli.cli.progress import busy
from detloss_cli.cli.request import AUTO, request
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
    family: o.Family = AUTO,
    profile: o.Profile = None,
    trainer: o.Trainer = None,
    model: o.Model = None,
    hyp: o.Hyp = None,
    run: o.Run = None,
    single_cls: o.SingleCls = False,
    by: o.By = None,
    top: o.Top = None,
    write_list: o.WriteList = None,
    write_clean_list: o.WriteCleanList = None,
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
    line and column. Without a word of a family the strict loader reads, which
    leaves out each row with an error, alone; --loader all shows what every one does.
    """
    to = sink(format, output, force, fail_on, max_findings, select, ignore)
    if by is not None:
        values.one_of(by, ("folder", "class", "split"), "--by")
    files = lists_of(write_list, write_clean_list, top, select, split)
    files.refuse(to)
    wanted = request(
        "inspect labels",
        data=values.data(data, data_option, needed=run is None),
        split=split,
        names=names,
        root=root,
        image_sizes=image_sizes,
        loader=loader,
        cache=chosen(cache_dir, no_cache, strict_cache),
        imgsz=imgsz,
        family=family,
        profile=profile,
        trainer=trainer,
        model=model,
        hyp=hyp,
        run=run,
        single_cls=single_cls,
    )
    with busy("reading labels", quiet=quiet):
        from detloss_cli import diagnose
        from detloss_cli.run_context import in_context

        facts, findings = in_context(wanted, *diagnose.inspect_labels(wanted, by=by))
    return emit("inspect labels", facts, findings, to, extra=files.write(facts, findings, to))
