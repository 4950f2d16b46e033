"""detloss check"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from detloss_cli.cli import options as o
from detloss_cli.cli import values
from detloss_cli.cli.emit import emit, sources
from detloss_cli.cli.groups import Caching, Output, Reading, Targets
from detloss_cli.cli.progress import busy
from detloss_cli.cli.request import request
from detloss_cli.errors import DetlossError, DetlossErrors
from detloss_cli.inputs.single_files import is_single
from detloss_cli.inputs.thresholds import Thresholds, read_thresholds

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


@dataclass(frozen=True)
class Bounds:
    """What a data set is held to."""

    max_unassigned: Annotated[str | None, _bound("max-unassigned", "Boxes without a positive.")] = None
    min_positives_per_level: Annotated[str | None, _bound("min-positives-per-level", "Positives of each level.")] = None
    min_bpr: Annotated[str | None, _bound("min-bpr", "Best possible recall.", "0..1")] = None
    max_collisions: Annotated[str | None, _bound("max-collisions", "Slots that several boxes claim.")] = None
    max_lost_boxes: Annotated[str | None, _bound("max-lost-boxes", "Rows that the loader loses.")] = None
    max_share: Annotated[list[str] | None, _bound("max-share", "Of the loss: obj=60%, P3=70%.", "WHAT=%")] = None
    min_share: Annotated[list[str] | None, _bound("min-share", "Of the loss: cls=5%.", "WHAT=%")] = None

    def thresholds(self) -> Thresholds:
        """What they come to.

        Raises:
            DetlossErrors: a bound that is no number or share.
        """
        thresholds, wrong = read_thresholds({name.replace("_", "-"): value for name, value in vars(self).items()})
        if wrong:
            raise DetlossErrors([DetlossError(words, where=f"--{name}") for name, words in wrong])
        return thresholds


@dataclass(frozen=True)
class Checked(Reading):
    """A data set, or single files of one."""

    data: Data = None
    files_from: FilesFrom = None


def check(
    reading: Checked,
    caching: Caching,
    targets: Targets,
    *,
    head: o.Head = "prior",
    preds: o.Preds = None,
    seed: o.Seed = 0,
    config: ConfigFile = None,
    bounds: Bounds,
    baseline: BaselineFile = None,
    write_baseline: WriteBaseline = None,
    new_only: NewOnly = False,
    output: Output,
) -> int:
    """Everything as a gate: labels, data.yaml, hyp, anchors and targets against bounds and a baseline.

    Every split is read. Bounds stand in detloss.yaml or pyproject.toml, in
    DETLOSS_MAX_UNASSIGNED and its like, or here.
    """
    to = output.sink()
    thresholds = bounds.thresholds()
    if new_only and baseline is None:
        raise DetlossError("--new-only needs something to compare with", where="--new-only", hint="add --baseline FILE")
    if write_baseline is not None:
        from detloss_cli.report.output import refuse

        refuse(write_baseline, force=output.force, option="--write-baseline")
    asked = reading.asked(needed=reading.files_from is None and targets.run is None)
    sets, files = _sorted_out(asked.pop("data"), reading.files_from)
    if reading.files_from is not None and not files:
        return emit("check", None, (), to)
    loss = {"head": head, "preds": preds, "seed": seed}
    wanted = request("check", data=sets, files=files, **asked, **targets.asked(), **loss, **caching.asked(), overrides={})
    with busy("checking", quiet=output.quiet):
        from detloss_cli.diagnose import gate
        from detloss_cli.diagnose.run_context import in_context
        from detloss_cli.inputs.baseline import read_baseline

        before = read_baseline(baseline) if baseline is not None else None
        facts, findings = in_context(wanted, *gate.check(wanted, gate.Gate(thresholds, before, new_only, write_baseline is not None)))
    if write_baseline is not None:
        _write_baseline(write_baseline, facts, output.force)
    return emit("check", facts, findings, to)


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
