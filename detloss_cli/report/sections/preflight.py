"""The verdict on a training: the last line, in words that stand beside the exit code."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from detloss_cli.report.numbers import many
from detloss_cli.report.report import Summary


def verdict_line(summary: Summary) -> Iterator[Text]:
    """`preflight: go` or `preflight: stop`."""
    counts = f"{many(summary.errors, 'error')}, {many(summary.warnings, 'warning')}"
    yield Text("")
    if summary.exit_code == 0:
        yield Text("preflight: go", style="bold green").append(f" · {counts}", style="not bold default")
    else:
        words = f" · {counts} · exit {summary.exit_code}, so that && does not start the training"
        yield Text("preflight: stop", style="bold red").append(words, style="not bold default")
