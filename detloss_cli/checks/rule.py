"""A rule: a stable code, a name, a severity, a manual page, and the words for a fault of its kind."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from detloss_cli.finding import Finding, Severity, Where
from detloss_cli.inputs.fault import Fault

Words = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    code: `DET` and three digits, never reused. name: the kind of faults it judges. summary, manual: of its docstring, first line and whole.
    words: message and hint for a fault, foreign text still raw; None for a rule that is judged from facts.
    """

    code: str
    name: str
    severity: Severity
    summary: str
    manual: str
    words: Callable[[Fault], Words] | None = None

    def finding(self, fault: Fault) -> Finding:
        """The finding for a fault of this rule's kind."""
        if self.words is None:
            raise ValueError(f"rule {self.name} has no words for a fault")
        message, hint = self.words(fault)
        return Finding(self.code, self.name, self.severity, message, Where(fault.path, fault.line, fault.column), hint)


def rule(code: str, severity: Severity, words: Callable[[Fault], Words]) -> Rule:
    """A rule from the function that words it: its name with dashes is the kind, its docstring the manual page."""
    manual = inspect.cleandoc(words.__doc__ or "")
    return Rule(code, words.__name__.replace("_", "-"), severity, manual.split("\n", 1)[0], manual, words)
