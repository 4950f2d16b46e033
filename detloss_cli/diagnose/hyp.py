"""`inspect hyp` without its dress: every key of a hyp file, who reads it, and the gains that it ends in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from detloss_cli import reading
from detloss_cli.checks.hyp_facts import aliases_of, role
from detloss_cli.checks.hyp_lint import lint
from detloss_cli.checks.judge import judge
from detloss_cli.facts import Facts, GainFacts, HypFacts, Settings
from detloss_cli.families.hyp import HypKey, hyp_keys
from detloss_cli.finding import Finding
from detloss_cli.resolve import Request, Setup, setup

if TYPE_CHECKING:
    from detloss_cli.families.interface import Gain

CLASSES = 80  # of the data set that the trainers' hyps are made for


def inspect_hyp(request: Request) -> tuple[Facts, list[Finding]]:
    """Every key of a hyp file, and the ledger that its gains end in."""
    chosen = setup(request)
    own = hyp_keys(chosen.family.Hyp)
    keys = {key.name: key for key in own}
    keys |= {other: keys[key] for other, key in aliases_of(chosen.family.ID, chosen.profile).items()}
    rows = tuple(_row(name, value, keys.get(name), chosen, keys) for name, value in chosen.hyp_file.values.items())
    classes, source = CLASSES, ""
    if request.data:
        dataset, _ = reading.load(request, splits=None, loader=chosen.loader, sizes=False)
        classes, source = max(1, dataset.num_classes), dataset.names_source
    ledger = chosen.family.gain_ledger(chosen.hyp, chosen.head(classes), chosen.profile)
    gains = tuple(gain_facts(gain, request.raw_gains) for gain in ledger)
    facts = Facts("inspect hyp", settings=_settings(request, chosen, classes, source), gains=gains, hyp=rows)
    return facts, list(dict.fromkeys((*judge(chosen.faults), *lint(chosen.hyp_file, chosen.family.ID, chosen.profile, own))))


def gain_facts(gain: Gain, raw: bool) -> GainFacts:
    """A gain with the steps that are taken. raw: without those of the trainer."""
    steps = tuple((step.rule, step.factor, step.source) for step in gain.steps if not raw or step.source == "loss")
    return GainFacts(gain.term, gain.key, gain.hyp, steps, gain.hyp * math.prod(factor for _, factor, _ in steps), gain.note)


def _row(name: str, value: object, key: HypKey | None, chosen: Setup, known: dict[str, HypKey]) -> HypFacts:
    return HypFacts(
        key=name,
        value=value,
        default=key.default if key else None,
        low=key.low if key else None,
        high=key.high if key else None,
        used=role(name, chosen.family.ID, known, chosen.profile) == "loss",
        meaning=key.meaning if key else "",
        line=chosen.hyp_file.lines.get(name),
    )


def _settings(request: Request, chosen: Setup, classes: int, source: str) -> Settings:
    """What the gains depend on; nothing was computed, so there is no head and no device."""
    return Settings(
        family=chosen.family.ID,
        profile=chosen.profile,
        loader=chosen.loader,
        model=chosen.model.spec.name,
        imgsz=chosen.imgsz,
        num_classes=classes,
        names_source=source,
        geometry="",
        batch_size=request.batch_size,
        device="",
        dtype="",
        seed=request.seed,
        head=None,
        preds=None,
        hyp=chosen.hyp_file.path,
        gains="raw" if request.raw_gains else "as the trainer scales them",
        origins=chosen.origins,
    )
