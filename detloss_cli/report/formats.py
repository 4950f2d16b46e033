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
    "jsonl": "detloss_cli.report.jsonl_format",
    "csv": "detloss_cli.report.csv_format",
    "junit": "detloss_cli.report.junit_format",
    "github": "detloss_cli.report.github_format",
    "gitlab": "detloss_cli.report.gitlab_format",
    "sarif": "detloss_cli.report.sarif_format",
    "markdown": "detloss_cli.report.markdown_format",
}
# The format of a file by the end of its name, where nothing says another one.
SUFFIXES: dict[str, str] = {".json": "json", ".jsonl": "jsonl", ".csv": "csv", ".xml": "junit", ".sarif": "sarif", ".md": "markdown"}


# Formats for eyes; the others look the same wherever they are read.
SHOWN = frozenset({"rich", "text"})


class Format(Protocol):
    """A module that turns a report into text."""

    def render(self, report: Report, look: Look) -> str:
        """The whole output."""
        ...


def load(name: str) -> Format:
    """The module of a format, one of `MODULES`."""
    return cast(Format, import_module(MODULES[name]))
