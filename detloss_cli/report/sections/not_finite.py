"""Head outputs that are NaN or infinite, where they are: where there are many."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator, Sequence

from rich.text import Text

from detloss_cli.finding import Finding
from detloss_cli.report.numbers import count
from detloss_cli.report.safe import safe

RULE = "prediction-not-finite"
SHOWN = 3  # levels of images


def not_finite_list(findings: Sequence[Finding], width: int) -> Iterator[Text]:
    """File, level, image, channels and first place of some, and how many there are besides."""
    own = [finding for finding in findings if finding.rule == RULE]
    if len(own) < 2:
        return  # one stands in the list of findings, whole
    last = ""
    for finding in own[:SHOWN]:
        name = os.path.basename(finding.where.path) if finding.where is not None else ""
        if name and name != last:
            yield Text("not finite  ", style="bold red").append(safe(name), style="not bold cyan")
            last = name
        for number, part in enumerate(textwrap.wrap(safe(finding.message), max(20, width - 4), break_on_hyphens=False)):
            yield Text(("  " if number == 0 else "    ") + part)
    more = sum(finding.count for finding in own[SHOWN:])
    if more:
        yield Text(f"  and {count(more)} more: --format json lists them", style="dim")
    hints = list(dict.fromkeys(finding.hint for finding in own if finding.hint))
    if hints:
        yield Text(f"  -> {safe(hints[0])}", style="green")
