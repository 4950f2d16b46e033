"""detloss check"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from detloss_cli.cli import options as o
from detloss_cli.cli import values
from detloss_cli.cli.cache import chosen
from detloss_cli.cli.emit import emit, sink, sources
from detloss_cli.cli.progress import busy
from detloss_cli.cli.request import AUTO, request
from detloss_cli.errors import DetlossError, DetlossErrors
from detloss_cli.inputs.single_files import is_single
from detloss_cli.inputs.thresholds import Thresholds, read_thresholds
from detloss_cli.report.report import MAX_FINDINGS

if TYPE_CHECKING:
    from detloss_cli.facts import Facts

GATE = "Gate"


def _bound(name: str, text: str, metavar: str = "N|%") -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(f"--{name}", metavar=metavar, help=text, show_default=False, rich_help_panel=GATE)
    return option


Data = Annotated[
    list[str] | None,
    typer.Argument(metavar="DATA...", help="A data set, or single label files and pictures of one.", show_default=False),
]
FilesFrom = Annotated[
    str | None, typer.Option("--files-from", metavar="FILE|-", help="Single files to check, one a line.", rich_help_panel=o.DATA)
]
ConfigFile = Annotated[
    str | None, typer.Option("--config", metavar="FILE", help="Settings; else detloss.yaml, pyproject.toml.", rich_help_panel=GATE)
]
BaselineFile = Annotated[
    str | None, typer.Option("--baseline", metavar="FILE", help="What was known and measured before.", rich_help_panel=GATE)
]
WriteBaseline = Annotated[str | None, typer.Option("--write-baseline", metavar="FILE", help="Make one of this run.", rich_help_panel=GATE)]
NewOnly = Annotated[bool, typer.Option("--new-only", help="Only findings that the baseline lacks count.", rich_help_panel=GATE)]


def check(
    data: Data = None,
    data_option: o.DataOption = None,
    files_from: FilesFrom = None,
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
    head: o.Head = "prior",
    preds: o.Preds = None,
    device: o.Device = AUTO,
    seed: o.Seed = 0,
    config: ConfigFile = None,
    max_unassigned: Annotated[str | None, _bound("max-unassigned", "Boxes without a positive.")] = None,
    min_positives: Annotated[str | None, _bound("min-positives-per-level", "Positives of each level.")] = None,
    min_bpr: Annotated[str | None, _bound("min-bpr", "Best possible recall.", "0..1")] = None,
    max_collisions: Annotated[str | None, _bound("max-collisions", "Slots that several boxes claim.")] = None,
    max_lost_boxes: Annotated[str | None, _bound("max-lost-boxes", "Rows that the loader loses.")] = None,
    max_share: Annotated[list[str] | None, _bound("max-share", "Of the loss: obj=60%, P3=70%.", "WHAT=%")] = None,
    min_share: Annotated[list[str] | None, _bound("min-share", "Of the loss: cls=5%.", "WHAT=%")] = None,
    baseline: BaselineFile = None,
    write_baseline: WriteBaseline = None,
    new_only: NewOnly = False,
    format: o.Format = None,
    output: o.Output = None,
    force: o.Force = False,
    fail_on: o.FailOn = "error",
    select: o.Select = None,
    ignore: o.Ignore = None,
    max_findings: o.MaxFindings = MAX_FINDINGS,
    quiet: o.Quiet = False,
) -> int:
    """Everything as a gate: labels, data.yaml, hyp, anchors and targets against bounds and a baseline.

    Every split is read. Bounds stand in detloss.yaml or pyproject.toml, in
    DETLOSS_MAX_UNASSIGNED and its like, or here.
    """
    to = sink(format, output, force, fail_on, max_findings, select, ignore)
    named = {"max-unassigned": max_unassigned, "min-positives-per-level": min_positives, "min-bpr": min_bpr}
    named |= {"max-collisions": max_collisions, "max-lost-boxes": max_lost_boxes}
    thresholds = _thresholds({**named, "max-share": max_share, "min-share": min_share})
    if new_only and baseline is None:
        raise DetlossError("--new-only needs something to compare with", where="--new-only", hint="add --baseline FILE")
    if write_baseline is not None:
        from detloss_cli.report.output import refuse

        refuse(write_baseline, force=force, option="--write-baseline")
    sets, files = _sorted_out(values.data(data, data_option, needed=files_from is None and run is None), files_from)
    if files_from is not None and not files:
        return emit("check", None, (), to)
    wanted = request(
        "check",
        data=sets,
        files=files,
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
        head=head,
        preds=preds,
        device=device,
        seed=seed,
    )
    with busy("checking", quiet=quiet):
        from detloss_cli import gate
        from detloss_cli.inputs.baseline import read_baseline
        from detloss_cli.run_context import in_context

        before = read_baseline(baseline) if baseline is not None else None
        facts, findings = in_context(wanted, *gate.check(wanted, gate.Gate(thresholds, before, new_only, write_baseline is not None)))
    if write_baseline is not None:
        _write_baseline(write_baseline, facts, force)
    return emit("check", facts, findings, to)


def _thresholds(given: dict[str, str | list[str] | None]) -> Thresholds:
    thresholds, wrong = read_thresholds(given)
    if wrong:
        raise DetlossErrors([DetlossError(words, where=f"--{name}") for name, words in wrong])
    return thresholds


def _sorted_out(given: Sequence[str], files_from: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Data sets, and single files: those of the arguments and those of a list. What is gone is no longer to be checked."""
    files = [path for path in given if is_single(path)]
    if files_from is not None:
        listed = _listed(files_from)
        files += [path for path in listed if is_single(path)]
    return tuple(path for path in given if not is_single(path)), tuple(dict.fromkeys(files))


def _listed(source: str) -> list[str]:
    if source != "-":
        from detloss_cli.inputs.small_file import read_lines

        lines = read_lines(values.existing(source, "--files-from"))
    else:
        lines = [line.strip() for line in sys.stdin.buffer.read().decode("utf-8", "surrogateescape").split("\n")]
    return [line for line in lines if line and os.path.exists(line)]


def _write_baseline(path: str, facts: Facts, force: bool) -> None:
    from detloss_cli.checks.figures import figures
    from detloss_cli.inputs.baseline import written
    from detloss_cli.report.output import refuse_sources, write

    if facts.data is not None:
        refuse_sources(path, sources(facts.data), force=force, option="--write-baseline")
    if facts.gate is not None:
        write(path, written(figures(facts), facts.gate.settings, facts.gate.seen))
