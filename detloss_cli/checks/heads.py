"""Rules about what real head outputs answer, and what their gradients do."""

from __future__ import annotations

from collections.abc import Iterator

from detloss_cli.checks.facts_rule import FactsRule, Hit, facts_rule
from detloss_cli.facts import Facts
from detloss_cli.facts.heads import GradientFacts, HeadFacts

ALIKE = 0.6  # told apart less often than this is near to chance, which is 0.5
FEWEST = 10  # slots from which a share says something
MOST_SATURATED = 0.2  # share of the box logits at the slots
ABOVE = 1.25  # times step 0
RISES = "obj"  # whose targets grow with the overlap
LEAST = 1e-12  # a gradient below it moves nothing in float32


def gradient_not_finite(facts: Facts) -> Iterator[Hit]:
    """The gradient of a term is infinite or NaN at the outputs of a level, whatever the loss itself looks like.

    The step after it, every weight is NaN. A focal gamma below 1 does so where an answer is certain, an overlap where a box has no area, an
    exponential where a size logit is large.
    """
    for one in _gradients(facts):
        if one.not_finite:
            yield Hit(f"{one.level}: the gradient of {one.term} is not finite", "look at the largest logits of this level, and at fl_gamma")


def gradient_vanished(facts: Facts) -> Iterator[Hit]:
    """A term has a value and positives at a level, but no gradient there: nothing of it is learned.

    Every logit that it depends on is saturated, or its gain is so small that nothing arrives. A term that is 0 has no gradient by right.
    """
    values = {(term.name, term.level): term.value for term in facts.loss.terms} if facts.loss is not None else {}
    for one in _gradients(facts):
        if one.positives and not one.not_finite and one.norm < LEAST and values.get((one.term, one.level), 0.0) > 0:
            yield Hit(
                f"{one.level}: {one.term} has {one.positives:,} positives and a gradient of {one.norm:.0e}",
                "its logits are saturated or its gain is next to nothing",
            )


def background_like_boxes(facts: Facts) -> Iterator[Hit]:
    """A level answers its background as surely as its boxes: objectness, or the class where there is none, has learned nothing there.

    `told apart` is the probability that a cell with a box answers more surely than one without; chance is 50 %. A loss that looks small and
    flat may still tell them apart well, as almost all cells are empty; this says whether it does. Not said of step 0.
    """
    head = _trained(facts)
    for level in head.levels if head is not None else ():
        if level.separation is not None and level.slots >= FEWEST and level.separation < ALIKE:
            yield Hit(
                f"{level.level}: a cell with a box is surer than one without in {100 * level.separation:.0f} % of pairs; chance is 50 %",
                "look at its gain and gradient, the learning rate, the labels",
                share=level.separation,
            )


def objectness_like_constant(facts: Facts) -> Iterator[Hit]:
    """Objectness costs as much as the best constant would, at the overlaps that the boxes have by now.

    Its target is the overlap, so the term grows while boxes get better, and its curve alone says nothing: a flat or rising one may learn.
    What a constant would cost at the same overlaps is the mark to hold it against. Not said of step 0.
    """
    head = _trained(facts)
    found = head.objectness if head is not None else None
    if found is not None and found.value >= found.constant > 0:
        yield Hit(
            f"obj is {found.value:.4g}; a head that says the same in every cell would cost {found.constant:.4g}",
            "look at its gain and gradient, the learning rate, the labels",
        )


def answers_saturated(facts: Facts) -> Iterator[Hit]:
    """Answers lie where a sigmoid is flat: beyond +-9.21 it is within 1e-4 of 0 or 1.

    Box logits there have next to no gradient, and do not come back. Slots whose objectness or own class is below 1e-4 are answered as if no
    box were there. Both come from a learning rate that is too high, or from weights of another head.
    """
    head = facts.head
    for level in head.levels if head is not None else ():
        if level.slots < FEWEST:
            continue
        said = []
        if (level.box_saturated or 0.0) > MOST_SATURATED:
            said.append(f"{100 * (level.box_saturated or 0.0):.0f} % of the box logits")
        if level.slots_saturated > level.slots / 2:
            said.append(f"the confidence of {level.slots_saturated:,} of {level.slots:,} slots")
        if said:
            yield Hit(
                f"{level.level}: saturated are {' and '.join(said)}", "a learning rate that is too high, or the weights of another head"
            )


def class_taken_for_another(facts: Facts) -> Iterator[Hit]:
    """Most slots of a class answer another one.

    Two names for one thing, another order of names than the one that was trained with, or a class that is rare beside its neighbour.
    Not said of step 0.
    """
    head = _trained(facts)
    for one in head.confusion if head is not None else ():
        if one.slots >= FEWEST and one.count > one.slots / 2:
            yield Hit(
                f"{one.cls} is taken for {one.taken_for} in {one.count:,} of {one.slots:,} slots",
                "inspect labels counts the classes; compare the order of the names",
                share=one.count / one.slots,
            )


def term_above_step_0(facts: Facts) -> Iterator[Hit]:
    """A term of a trained head lies above step 0, the loss of a head that knows nothing.

    The training has diverged, or its head, gains, anchors or classes are not those that the loss is computed with. Objectness is left out:
    its targets are the overlaps, so that it rises while boxes get better.
    """
    loss = facts.loss
    if loss is None or facts.head is None:
        return
    for name, step_0 in loss.marks.get("prior", {}).items():
        last = facts.dumps[-1].totals.get(name) if facts.dumps else loss.totals.get(name)
        if name != RISES and last is not None and last > ABOVE * step_0 > 0:
            yield Hit(
                f"{name} is {last:.4g}, above step 0 ({step_0:.4g})",
                "it has diverged, or gains, anchors or classes are those of another head",
            )


def _gradients(facts: Facts) -> tuple[GradientFacts, ...]:
    return facts.head.gradients if facts.head is not None else ()


def _trained(facts: Facts) -> HeadFacts | None:
    """The answers of a head, but not those of the first step."""
    return None if facts.head is None or facts.head.steps == (0,) else facts.head


RULES: tuple[FactsRule, ...] = (
    facts_rule("DET520", "error", gradient_not_finite),
    facts_rule("DET521", "warning", gradient_vanished),
    facts_rule("DET522", "warning", background_like_boxes),
    facts_rule("DET523", "warning", answers_saturated),
    facts_rule("DET524", "info", class_taken_for_another),
    facts_rule("DET525", "info", term_above_step_0),
    facts_rule("DET526", "warning", objectness_like_constant),
)
