"""A run beside what was computed for it: where each setting came from, and the logged epochs between the marks."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import replace

from detloss_cli.checks.facts_rule import apply
from detloss_cli.checks.training import LOG_RULES
from detloss_cli.facts import Facts, LossFacts
from detloss_cli.facts.run import LogFacts, RunFacts, TermLog
from detloss_cli.finding import Finding
from detloss_cli.inputs.results_log import EpochLog, read_log
from detloss_cli.inputs.training import Training
from detloss_cli.resolve import Request


def in_context(request: Request, facts: Facts, findings: list[Finding]) -> tuple[Facts, list[Finding]]:
    """Facts and findings of a command with what its run says; unchanged without a run."""
    training = request.training
    if training is None:
        return facts, findings
    run = RunFacts(training.path, training.trainer, training.files, training.missing, _values(request, training))
    if training.log is not None and facts.loss is not None:
        run = replace(run, log=log_facts(read_log(training.log), facts.loss))
    facts = replace(facts, run=run)
    return facts, [*findings, *apply(LOG_RULES, facts)]


def _values(request: Request, training: Training) -> tuple[tuple[str, str, str], ...]:
    """What the run decided, not what the user overruled."""
    shown: Mapping[str, object] = {**training.fields, **training.overrides}
    return tuple((key, _text(key, shown[key]), origin) for key, origin in request.origins.items() if key in shown)


def _text(key: str, value: object) -> str:
    if key in ("data", "hyp", "model"):
        path = str(value[0] if isinstance(value, tuple) else value)
        return os.path.basename(path.rstrip("/" + os.sep)) or path
    if key == "imgsz" and isinstance(value, tuple):
        return str(value[0]) if value[0] == value[1] else f"{value[0]}x{value[1]}"
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def log_facts(log: EpochLog, loss: LossFacts) -> LogFacts:
    """The epochs of each term that the loss has, with its marks."""
    marks = [loss.marks.get(name, {}) for name in ("prior", "base_rate", "perfect")]
    names = [name for name in loss.totals if name in log.terms and all(name in mark for mark in marks)]
    terms = tuple(_term(name, log, [mark[name] for mark in marks]) for name in names)
    bad = [(epoch, name) for name in names for epoch, value in zip(log.epochs, log.terms[name], strict=True) if not math.isfinite(value)]
    return LogFacts(log.path, log.epochs, terms, min(bad, default=None), log.unread)


def _term(name: str, log: EpochLog, marks: list[float]) -> TermLog:
    values = log.terms[name]
    below = None
    for epoch, value in zip(reversed(log.epochs), reversed(values), strict=True):
        if not value < marks[1]:
            break
        below = epoch
    shown = tuple(value if math.isfinite(value) else None for value in values)
    return TermLog(name, step_0=marks[0], base_rate=marks[1], floor=marks[2], values=shown, below=below)
