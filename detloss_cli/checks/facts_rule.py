"""Rules over facts: what a run measured, held against what is worth telling."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from detloss_cli.checks.rule import Rule
from detloss_cli.facts import Facts
from detloss_cli.finding import Finding, Severity, Where


@dataclass(frozen=True, slots=True)
class Hit:
    """One place where a rule applies. path, line: None for the whole run. count, share: how much it stands for."""

    message: str
    hint: str | None = None
    path: str | None = None
    line: int | None = None
    count: int = 1
    share: float | None = None


@dataclass(frozen=True, slots=True)
class FactsRule:
    """A rule and the function that looks for it in the facts."""

    rule: Rule
    hits: Callable[[Facts], Iterator[Hit]]


def facts_rule(code: str, severity: Severity, hits: Callable[[Facts], Iterator[Hit]]) -> FactsRule:
    """A rule from the function that looks for it: its name with dashes is the rule's, its docstring the manual page."""
    manual = inspect.cleandoc(hits.__doc__ or "")
    return FactsRule(Rule(code, hits.__name__.replace("_", "-"), severity, manual.split("\n", 1)[0], manual), hits)


def apply(rules: Iterable[FactsRule], facts: Facts) -> Iterator[Finding]:
    """The findings of some rules, in the rules' order."""
    for each in rules:
        rule = each.rule
        for hit in each.hits(facts):
            where = Where(hit.path, hit.line) if hit.path is not None else None
            yield Finding(rule.code, rule.name, rule.severity, hit.message, where, hit.hint, hit.count, hit.share)
