"""Rules about a training: what its trainer does and detloss does not, and what its log says beside the marks."""

from __future__ import annotations

from detloss_cli.checks.rule import Rule, Words, rule
from detloss_cli.inputs.fault import Fault


def switch_not_modelled(fault: Fault) -> Words:
    """The trainer was told something that changes what a batch holds, and detloss does not do it.

    Nothing is left out silently: the message says what is computed instead. Positives, shares and gains are near to those of the training
    where the switch only changes which pictures meet in a batch; with other input shapes the counts of each level move.
    """
    return f"{fault.token} means {fault.detail}", None


RULES: tuple[Rule, ...] = (rule("DET701", "warning", switch_not_modelled),)
