"""The formats by name, each a module that is imported when it is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from detloss_cli.report.look import Look
from detloss_cli.report.report import Report

MODULES: dict[str, str] = {
    "rich": "detloss_cli.report.rich_format",
    "text": "detloss_cli.report.text_format",
    "json": "detloss_cli.report.json_format",
}
MACHINE = frozenset({"json"})


class Format(Protocol):
    """A module that turns a report into text."""

    def render(self, report: Report, look: Look) -> str:
        """The whole output."""
        ...


def load(name: str) -> Format:
    """The module of a format, one of `MODULES`."""
    return cast(Format, import_module(MODULES[name]))
