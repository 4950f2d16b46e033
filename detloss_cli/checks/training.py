"""Rules about a training: what its trainer does and detloss does not, and what its log says beside the marks."""

from __future__ import annotations

from collections.abc import Iterator

from detloss_cli.checks.facts_rule import FactsRule, Hit, facts_rule
from detloss_cli.checks.rule import Rule, Words, rule
from detloss_cli.facts import Facts
from detloss_cli.facts.run import LogFacts, TermLog
from detloss_cli.inputs.fault import Fault

FLAT = 0.05  # of the way from step 0 to the floor: a term that moves less over the last third of the epochs is flat
FEWEST = 9  # epochs from which one can say that something is flat
ABOVE = 1.25  # times step 0: augmentation alone does not lift a first epoch so far


def switch_not_modelled(fault: Fault) -> Words:
    """The trainer was told something that changes what a batch holds, and detloss does not do it.

    Nothing is left out silently: the message says what is computed instead. Positives, shares and gains are near to those of the training
    where the switch only changes which pictures meet in a batch; with other input shapes the counts of each level move.
    """
    return f"{fault.token} means {fault.detail}", "leave it out to train exactly what is computed"


def anchors_fitted_here(fault: Fault) -> Words:
    """The anchors are not those of the model file: they were fitted to the boxes here, as the trainer fits its own.

    AutoAnchor keeps the model's set while the best possible recall is above 0.98, else it fits another one by k-means and evolution. That
    fit starts from random numbers and differs from run to run, so the anchors of a training are like these, not equal to them.
    `--anchors stock` keeps the model's, `--anchors FILE` takes those of a training.
    """
    return f"anchors are fitted here: {fault.token}, {fault.detail}; the trainer's own fit varies from run to run, so it is not equal", None


def log_first_epoch_high(facts: Facts) -> Iterator[Hit]:
    """The first epoch of a term lies above step 0, the loss of a head that knows nothing.

    A network that learns at all is below it within the first epoch. Above it, the trainer computes something else than what is marked here:
    other gains, other anchors, another release or head. The marks are without augmentation, which moves a term by some percent, not by a
    quarter.
    """
    for log, term in _logged(facts):
        first = term.values[0] if term.values else None
        if first is not None and first > ABOVE * term.step_0 > 0:
            yield Hit(
                f"{term.term} starts at {first:.4g} in epoch {log.epochs[0]}, above step 0 ({term.step_0:.4g}, not augmented)",
                "compare gains, anchors and profile with the trainer's: inspect hyp, inspect anchors, --profile",
            )


def log_flat_objectness(facts: Facts) -> Iterator[Hit]:
    """The objectness loss is flat, and has passed its base rate: it is learning.

    Almost all cells are empty, so the loss is small from the start and its curve looks flat. The base rate is what a head gets that knows
    only how often a cell holds something. Below it the head knows where; what is left is between the base rate and the floor. The marks are
    without augmentation: mosaic has more boxes in a picture, so that the base rate of the training lies higher still.
    """
    for _, term in _logged(facts):
        if term.term == "obj" and term.below is not None and _is_flat(term):
            last = term.values[-1]
            yield Hit(
                f"obj is flat at {last:.4g}, since epoch {term.below} below its base rate ({term.base_rate:.4g}, not augmented): it learns",
                f"what is left lies above its floor of {term.floor:.4g}",
            )


def log_not_finite(facts: Facts) -> Iterator[Hit]:
    """A logged loss is NaN or infinite: from there on the weights are lost.

    Mixed precision, a learning rate that is too high, or a box that makes the loss infinite; `detloss compute` names such boxes.
    """
    log = facts.run.log if facts.run is not None else None
    if log is not None and log.not_finite is not None:
        epoch, term = log.not_finite
        yield Hit(f"{term} is not finite from epoch {epoch} on", "inspect targets names boxes that make it so; else try without AMP")


def _logged(facts: Facts) -> Iterator[tuple[LogFacts, TermLog]]:
    log = facts.run.log if facts.run is not None else None
    if log is not None:
        yield from ((log, term) for term in log.terms)


def _is_flat(term: TermLog) -> bool:
    values = [value for value in term.values if value is not None]
    tail = values[-(len(values) // 3) :] if len(values) >= FEWEST else []
    return bool(tail) and max(tail) - min(tail) <= FLAT * abs(term.step_0 - term.floor)


RULES: tuple[Rule, ...] = (rule("DET701", "warning", switch_not_modelled), rule("DET702", "info", anchors_fitted_here))
LOG_RULES: tuple[FactsRule, ...] = (
    facts_rule("DET710", "warning", log_first_epoch_high),
    facts_rule("DET711", "info", log_flat_objectness),
    facts_rule("DET712", "error", log_not_finite),
)
