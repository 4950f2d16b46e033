"""Which findings count: `--select` and `--ignore`, by code, by the beginning of a code, or by name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from detloss_cli.errors import DetlossError
from detloss_cli.finding import Finding
from detloss_cli.inputs.limits import UNREAD_KINDS
from detloss_cli.inputs.nearest import nearest

PREFIX = re.compile(r"DET\d{0,3}")


@dataclass(frozen=True, slots=True)
class Selection:
    """select: None for all. ignore: wins where both name a finding. What a limit left unread is always told: incomplete is never clean."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()

    def of(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings that count."""
        return [finding for finding in findings if finding.rule in UNREAD_KINDS or self._counts(finding)]

    def _counts(self, finding: Finding) -> bool:
        wanted = self.select is None or _named(finding, self.select)
        return wanted and not _named(finding, self.ignore)


def selection(select: str | None, ignore: str | None) -> Selection:
    """What was typed.

    Raises:
        DetlossError: a word that no finding answers to.
    """
    return Selection(_words(select, "--select") if select is not None else None, _words(ignore or "", "--ignore"))


def _words(text: str, option: str) -> tuple[str, ...]:
    words = tuple(word.strip() for word in text.split(",") if word.strip())
    if not words:
        return ()
    from detloss_cli.checks.registry import BY_NAME, RULES  # all rules and what they stand on: only for those who name one

    for number, word in enumerate(words):
        code = word.upper()
        if PREFIX.fullmatch(code) and any(known.startswith(code) for known in RULES):
            words = (*words[:number], code, *words[number + 1 :])
        elif word not in BY_NAME:
            near = nearest(word, [*BY_NAME, *RULES])
            raise DetlossError(
                f"no finding is called {word}", where=option, hint=f"did you mean {near}?" if near else "detloss explain lists them"
            )
    return words


def _named(finding: Finding, words: Iterable[str]) -> bool:
    return any(finding.rule == word or (word.startswith("DET") and finding.code.startswith(word)) for word in words)
