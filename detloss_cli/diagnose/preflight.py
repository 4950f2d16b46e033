"""A training before it starts: the gate and the loss of step 0 for exactly what its command says."""

from __future__ import annotations

from dataclasses import replace

from detloss_cli.diagnose import gate
from detloss_cli.diagnose.loss import compute
from detloss_cli.diagnose.run_context import in_context
from detloss_cli.facts import Facts
from detloss_cli.finding import Finding
from detloss_cli.inputs.thresholds import Thresholds
from detloss_cli.resolve import Request


def preflight(request: Request, thresholds: Thresholds) -> tuple[Facts, list[Finding]]:
    """Facts of the loss, with the labels of every split and the figures of the gate; findings of both."""
    checked, found = gate.check(request, gate.Gate(thresholds))
    facts, more = compute(request)
    facts = replace(facts, command="preflight", data=checked.data, labels=checked.labels, gate=checked.gate)
    return in_context(request, facts, list(dict.fromkeys((*found, *more))))
