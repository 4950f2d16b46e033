"""`--write-list`, `--write-clean-list` and `--top` of `inspect labels`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from detloss_cli.cli.emit import Sink, sources
from detloss_cli.cli.say import say
from detloss_cli.errors import DetlossError
from detloss_cli.finding import Finding
from detloss_cli.report import lists, output
from detloss_cli.report.numbers import count, many

if TYPE_CHECKING:
    from detloss_cli.facts import Facts

BAD, CLEAN = "--write-list", "--write-clean-list"


@dataclass(frozen=True, slots=True)
class Lists:
    """What was asked for. bad, clean: files. top: how many pictures. selected: findings were chosen by --select, infos among them."""

    bad: str | None
    clean: str | None
    top: int | None
    selected: bool
    splits: tuple[str, ...] | None

    def refuse(self, to: Sink) -> None:
        """Before any work.

        Raises:
            DetlossError: a file that must not be written.
        """
        for option, path in ((BAD, self.bad), (CLEAN, self.clean)):
            if path is not None:
                output.refuse(path, force=to.force, option=option)
        if len({path for path in (self.bad, self.clean, to.path) if path is not None}) < sum(
            path is not None for path in (self.bad, self.clean, to.path)
        ):
            raise DetlossError("one file is named twice", where=f"{BAD}, {CLEAN}, --output", hint="give each its own")

    def write(self, facts: Facts, findings: Iterable[Finding], to: Sink) -> dict[str, Any]:
        """Writes the lists; the rest of the report.

        Raises:
            DetlossError: a list cannot be written.
        """
        if facts.survey is None or facts.data is None or (self.bad, self.clean, self.top) == (None, None, None):
            return {}
        counted = to.selection.of(findings)
        pictures, every = facts.survey.pictures, lists.touched(facts.survey.pictures, counted)
        wrong = [finding for finding in counted if self.selected or finding.severity != "info"]
        found = lists.touched(pictures, wrong)
        if self.bad is not None:
            self._put(BAD, self.bad, lists.picture_list(pictures, found, self.bad), len(found), facts, to)
        if self.clean is not None:
            if pictures.annotated:
                body = lists.annotation_list(pictures, wrong)
                self._put(CLEAN, self.clean, body, body.count(b"\n"), facts, to)
            else:
                kept = lists.clean(pictures, found, self.splits)
                self._put(CLEAN, self.clean, lists.picture_list(pictures, kept, self.clean), len(kept), facts, to)
        return {} if self.top is None else {"worst": lists.worst(pictures, every, facts.data.root, self.top)}

    def _put(self, option: str, path: str, body: bytes, number: int, facts: Facts, to: Sink) -> None:
        if facts.data is not None:
            output.refuse_sources(path, sources(facts.data), force=to.force, option=option)
        output.write(path, body)
        whole = len(facts.survey.pictures.path) if facts.survey is not None else 0
        say(f"{many(number, 'picture')} of {count(whole)} written to {path}")


def lists_of(bad: str | None, clean: str | None, top: int | None, select: str | None, split: str | None) -> Lists:
    """From the words of a command line."""
    splits: Sequence[str] | None = None if split in (None, "") else str(split).split(",")
    return Lists(bad, clean, top, select is not None, None if splits is None or splits == ["all"] else tuple(splits))
