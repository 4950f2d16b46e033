"""The screen for a terminal: colour where it says something, at most ten places of a rule."""

from __future__ import annotations

import io

from rich.console import Console

from detloss_cli.report.look import Look
from detloss_cli.report.report import Report
from detloss_cli.report.screen import screen
from detloss_cli.report.text_format import fitting

PLACES = 10


def render(report: Report, look: Look) -> str:
    """Lines with escape sequences if the terminal has colours; only Text, so that no markup of an input is read."""
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=look.width,
        color_system=look.colors,
        force_terminal=look.colors is not None,
        no_color=look.colors is None,
        legacy_windows=False,
        markup=False,
        highlight=False,
        emoji=False,
    )
    for line in screen(report, look.width, PLACES, look.width):
        line.rstrip()
        console.print(line, soft_wrap=True)
    return fitting(stream.getvalue(), look.encoding)
