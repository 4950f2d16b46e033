"""Versions, devices, folders and limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.text import Text

from detloss_cli.report.numbers import count
from detloss_cli.report.safe import safe


def environment_list(environment: Mapping[str, Any]) -> Iterator[Text]:
    """One block a topic."""
    for number, (topic, values) in enumerate(environment.items()):
        if number:
            yield Text("")
        yield Text(topic, style="bold")
        size = max((len(key) for key in values), default=0)
        for key, value in values.items():
            text = count(value) if isinstance(value, int) and not isinstance(value, bool) else str(value)
            yield Text(f"  {safe(str(key)):<{size}}  ", style="dim").append(safe(text), style="not dim")
