"""From facts and findings to what the user reads, and the exit code."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from detloss_cli.cli import values
from detloss_cli.cli.selection import Selection, selection
from detloss_cli.errors import DetlossError
from detloss_cli.finding import RANK, Finding
from detloss_cli.report import formats, output
from detloss_cli.report.look import Colors, Look
from detloss_cli.report.report import MAX_FINDINGS, NEVER, Report, build

if TYPE_CHECKING:
    from detloss_cli.facts import DataFacts, Facts

PIPED_WIDTH = 80


@dataclass(frozen=True, slots=True)
class Sink:
    """Where and how a report goes out, checked before the work begins."""

    format: str
    path: str | None
    force: bool
    fail_on: str
    max_findings: int
    selection: Selection


def sink(
    format: str | None = None,
    path: str | None = None,
    force: bool = False,
    fail_on: str = "error",
    max_findings: int = MAX_FINDINGS,
    select: str | None = None,
    ignore: str | None = None,
) -> Sink:
    """The choices of a command line.

    Raises:
        DetlossError: an unknown format, severity or finding, an output that must not be written.
    """
    if format is not None:
        values.one_of(format, formats.MODULES, "--format")
    values.one_of(fail_on, (*sorted(RANK, key=RANK.__getitem__), NEVER), "--fail-on")
    if path is not None:
        output.refuse(path, force=force)
    by_suffix = formats.SUFFIXES.get(os.path.splitext(path)[1].lower()) if path is not None else None
    chosen = format or by_suffix or ("rich" if path is None and sys.stdout.isatty() else "text")
    return Sink(chosen, path, force, fail_on, max_findings, selection(select, ignore))


def sources(data: DataFacts) -> list[str]:
    """The folders and lists that were read."""
    return [source for places in data.splits.values() for source in places]


def emit(command: str, facts: Facts | None, findings: Iterable[Finding], to: Sink, extra: Mapping[str, Any] | None = None) -> int:
    """Renders, writes, and says how the run ends."""
    if to.path is not None and facts is not None and facts.data is not None:
        output.refuse_sources(to.path, sources(facts.data), force=to.force)
    report = build(command, facts, to.selection.of(findings), fail_on=to.fail_on, max_findings=to.max_findings, extra=extra)
    return _written(report, to)


def _written(report: Report, to: Sink) -> int:
    # what machines read does without the modules that ask a terminal what it can show
    text = formats.load(to.format).render(report, look(to.path is not None) if to.format in formats.SHOWN else Look())
    if to.path is None:
        put(text)
    else:
        output.write(to.path, text)
    return report.summary.exit_code


def look(to_file: bool = False) -> Look:
    """What stdout can show. COLUMNS, NO_COLOR and TERM=dumb are honoured; a pipe and a file are 80 columns wide."""
    from rich.console import Console

    console = Console(file=sys.stdout, legacy_windows=False)
    wide = console.is_terminal or os.environ.get("COLUMNS", "").isdecimal()
    colors = None if to_file or console.no_color or not console.is_terminal or console.is_dumb_terminal else console.color_system
    encoding = "utf-8" if to_file else (sys.stdout.encoding or "utf-8")
    return Look(max(20, console.width) if wide else PIPED_WIDTH, cast("Colors | None", colors), encoding)


def put(text: str) -> None:
    """Writes to stdout. A reader who has left is no error; a full disk is.

    Raises:
        DetlossError: stdout cannot be written to.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        if error.errno == errno.EPIPE:
            return
        raise DetlossError(f"cannot write to stdout: {error.strerror}", hint="see if the disk is full") from error
