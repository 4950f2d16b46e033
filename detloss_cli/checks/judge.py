"""Faults to findings, each by the rule of its kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from detloss_cli.checks.registry import BY_NAME
from detloss_cli.finding import Finding
from detloss_cli.inputs.fault import Fault


def judge(faults: Iterable[Fault]) -> Iterator[Finding]:
    """One finding a fault, in their order."""
    return (BY_NAME[fault.kind].finding(fault) for fault in faults)
