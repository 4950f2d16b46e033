"""Rules about terms that are zero, tiny, infinite or NaN: each with its cause."""

from __future__ import annotations

import math
from collections.abc import Iterator

from detloss_cli.checks.facts_rule import FactsRule, Hit, facts_rule
from detloss_cli.facts import Facts, LossFacts, TermFacts

TINY = 1e-4  # share of the total below which a term hardly moves a weight
HALF_MOST = 65504.0  # largest number of float16
HALF_LEAST = 2.0**-24  # smallest number above 0 of float16
CONSTANT = ("prior", "base-rate", "zero")  # heads that say the same in every cell
ONE_CLASS = ("yolov5", "yolov7", "yolov3-spp")  # leave the class term out where there is one class
FOCAL_TERMS = ("obj", "cls")


def term_not_finite(facts: Facts) -> Iterator[Hit]:
    """A term of the loss is infinite or NaN: one step with it, and so is every weight.

    Causes, in the order in which they are looked for: a box whose row makes it so (keras-yolo3 takes the logarithm of its height), head
    outputs that are not finite themselves, numbers beyond the range of float16, which ends at 65504.
    """
    loss = facts.loss
    for name, terms in _by_name(loss).items():
        bad = [term for term in terms if not math.isfinite(term.value)]
        if bad:
            at = ", ".join(term.level for term in bad if term.level)
            message = f"{name} is {bad[0].value}" + (f" on {at}" if at else "") + f": {_why_not_finite(facts, bad)}"
            yield Hit(message, "see the rows that infinite-loss names" if _infinite(facts) else None)


def term_zero(facts: Facts) -> Iterator[Hit]:
    """A term of the loss is 0: nothing of it is learned.

    The message says why: the loader drops every row, no label file holds one, no box gets a positive and for which reason, or the gain
    is 0. A box term of 0 for epochs on end nearly always means that no label got through to the targets.
    """
    for name, terms in _zero(facts).items():
        if _by_design(facts, name, terms) is None:
            yield Hit(f"{name} is 0: {_why_zero(facts, name)}", "inspect targets shows each box, inspect labels each row")


def term_zero_by_design(facts: Facts) -> Iterator[Hit]:
    """A term of the loss is 0, and should be.

    With one class yolov5, yolov7 and yolov3-spp leave the class term out: objectness says it all. (yolov8 does not: there background counts
    as well.) YOLOX adds its L1 term in the last epochs only. A constant head embeds both corners of CornerNet alike, so nothing pulls.
    """
    for name, terms in _zero(facts).items():
        reason = _by_design(facts, name, terms)
        if reason is not None:
            yield Hit(f"{name} is 0 by design: {reason}")


def term_tiny(facts: Facts) -> Iterator[Hit]:
    """A term is less than a ten thousandth of the loss: whatever it says, the others decide.

    A focal gamma shrinks what is answered well already, on a fresh head nearly every empty cell: the objectness of a large grid ends up
    around a millionth. Else its gain is small beside the others', or few boxes reach it.
    """
    loss = facts.loss
    total = loss.totals.get("total", 0.0) if loss is not None else 0.0
    if not math.isfinite(total) or total <= 0 or _head(facts) in ("perfect", "preds"):
        return
    for name, terms in _by_name(loss).items():
        value = math.fsum(term.value for term in terms)
        if math.isfinite(value) and 0 < value < TINY * total:
            yield Hit(f"{name} is {value:.2g}, {value / total:.1e} of the loss: {_why_tiny(facts, name, terms)}", share=value / total)


def focal_gamma_below_one(facts: Facts) -> Iterator[Hit]:
    """A focal gamma between 0 and 1 has an infinite gradient where an answer is certain.

    The loss holds (1 - p)^gamma, its derivative (1 - p)^(gamma - 1): a division by 0 as soon as a sigmoid rounds to 1, in float16 from a
    logit of about 8 on. The loss itself looks healthy until the step after is NaN.
    """
    gamma = facts.loss.notes.get("fl_gamma", 0.0) if facts.loss is not None else 0.0
    if 0 < gamma < 1:
        yield Hit(f"fl_gamma {gamma:g} makes the gradient infinite where an answer is certain", "0 for plain BCE, or 1 and more")


def beyond_float16(facts: Facts) -> Iterator[Hit]:
    """What the trainer computes before backward does not fit into float16.

    A number above 65504 is infinite there, one below 6e-8 is 0. Mixed precision keeps most losses in float32, but not every trainer does,
    and some cards of the GTX 16 series give NaN in any case.
    """
    loss = facts.loss
    if loss is None:
        return
    total = loss.totals.get("total", 0.0) * loss.batch_factor
    if math.isfinite(total) and total > HALF_MOST:
        yield Hit(f"the loss before backward is {total:,.0f}, float16 ends at 65,504", "keep the loss in float32, or smaller batches")
    for name, value in loss.totals.items():
        if name != "total" and 0 < value < HALF_LEAST:
            yield Hit(f"{name} is {value:.1e}, which float16 rounds to 0", "keep the loss in float32")


def _by_name(loss: LossFacts | None) -> dict[str, list[TermFacts]]:
    found: dict[str, list[TermFacts]] = {}
    for term in loss.terms if loss is not None else ():
        found.setdefault(term.name, []).append(term)
    return found


def _zero(facts: Facts) -> dict[str, list[TermFacts]]:
    """Terms that are 0 on every level. A head that answers everything is meant to be."""
    if _head(facts) == "perfect":
        return {}
    return {name: terms for name, terms in _by_name(facts.loss).items() if all(term.value == 0 for term in terms)}


def _head(facts: Facts) -> str:
    if facts.settings is None:
        return ""
    return "preds" if facts.settings.preds else facts.settings.head or ""


def _by_design(facts: Facts, name: str, terms: list[TermFacts]) -> str | None:
    settings = facts.settings
    if settings is None:
        return None
    if name == "cls" and settings.num_classes == 1 and settings.family in ONE_CLASS:
        return f"{settings.family} leaves it out where there is one class"
    if name == "l1" and settings.family == "yolox" and all(term.gain == 0 for term in terms):
        return "YOLOX adds it in the last epochs only"
    if name == "pull" and _head(facts) in CONSTANT:
        return "a constant head embeds both corners alike"
    return None


def _why_zero(facts: Facts, name: str) -> str:
    """The first cause on the way from the files to the term."""
    labels, assignment = facts.labels, facts.assignment
    if labels is not None and not labels.kept:
        if labels.rows:
            rule, number = max(labels.lost.by_rule.items(), key=lambda item: item[1], default=("", 0))
            worst = f", {number} of them by {rule}" if rule else ""
            return f"the loader drops all {labels.rows} rows{worst}"
        missing = f" ({labels.missing} images have no label file)" if labels.missing else ""
        return f"no label file of {labels.images} images holds a row{missing}"
    if assignment is not None and not assignment.positives:
        reason, number = max(assignment.by_reason.items(), key=lambda item: item[1], default=("", 0))
        worst = f": {reason.replace('_', ' ')} for {number} of them" if reason else ""
        return f"none of {assignment.boxes} boxes gets a positive{worst}"
    for gain in facts.gains or ():
        if gain.term == name and gain.used == 0:
            return f"its gain {gain.key or gain.term} is 0"
    if all(term.gain == 0 for term in _by_name(facts.loss)[name]):
        return "its gain is 0"
    return "every answer of this head is right" if _head(facts) == "preds" else "this head happens to give what is asked for"


def _infinite(facts: Facts) -> int:
    return len(facts.boxes.infinite) if facts.boxes is not None else 0


def _why_not_finite(facts: Facts, bad: list[TermFacts]) -> str:
    number = _infinite(facts)
    if number:
        return f"{number} box{'es make' if number > 1 else ' makes'} it so"
    if any(not math.isfinite(term.gain) for term in bad):
        return "its gain is not finite"
    if facts.settings is not None and facts.settings.dtype in ("float16", "bfloat16"):
        return f"a number left the range of {facts.settings.dtype}"
    return "head outputs are too large for its exponentials" if _head(facts) == "preds" else "no row of the labels explains it"


def _why_tiny(facts: Facts, name: str, terms: list[TermFacts]) -> str:
    gamma = facts.loss.notes.get("fl_gamma", 0.0) if facts.loss is not None else 0.0
    if gamma > 0 and name in FOCAL_TERMS:
        return f"fl_gamma {gamma:g} shrinks what is answered well already"
    gain = max(term.gain for term in terms)
    if gain < TINY:
        return f"its gain is {gain:g}"
    positives = sum(term.count for term in terms)
    return f"it counts {positives} positives with a gain of {gain:g}"


RULES: tuple[FactsRule, ...] = (
    facts_rule("DET460", "error", term_not_finite),
    facts_rule("DET461", "warning", term_zero),
    facts_rule("DET462", "info", term_zero_by_design),
    facts_rule("DET463", "info", term_tiny),
    facts_rule("DET464", "warning", focal_gamma_below_one),
    facts_rule("DET465", "warning", beyond_float16),
)
