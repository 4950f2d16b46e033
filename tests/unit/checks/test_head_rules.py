"""Rules about real head outputs: each trips where it should, and keeps quiet beside it.

background-like-boxes, objectness-like-constant, answers-saturated, class-taken-for-another, term-above-step-0, gradient-vanished,
gradient-not-finite.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from detloss_cli.checks.facts_rule import apply
from detloss_cli.checks.heads import RULES
from detloss_cli.facts import Facts, LossFacts, TermFacts
from detloss_cli.facts.heads import AnswerFacts, ConfusionFacts, DumpFacts, GradientFacts, HeadFacts, HeadLevelFacts, ReachedFacts

LEVEL = HeadLevelFacts(
    level="P3", slots=100, iou=(0.1, 0.5, 0.9), iou_above_half=0.5, confidence=(0.1, 0.5, 0.9), background=1000, background_mean=0.01,
    background_most=0.9, false_alarms=3, separation=0.9, slots_saturated=0, alarms_saturated=0, box_saturated=0.0, classes_saturated=0,
    logits={"obj": (-5.0, 5.0)},
)  # fmt: skip
GRADIENT = GradientFacts(term="box", level="P3", norm=0.5, share=1.0, positives=100, not_finite=0)
ANSWERS = AnswerFacts((), np.zeros(0, np.int32), (), np.zeros(0), np.zeros(0), ())
HEAD = HeadFacts(steps=(7,), levels=(LEVEL,), gradients=(GRADIENT,), cells=(), slots=100, right=90, confusion=(), answers=ANSWERS)
TERM = TermFacts(name="box", level="P3", raw=1.0, gain=0.05, value=0.05, share=1.0, count=100, per_positive=0.0005)
LOSS = LossFacts((TERM,), {"box": 0.05, "obj": 0.05, "total": 0.1}, 1.0, 1, {"prior": {"box": 0.06, "obj": 0.01, "total": 0.11}})


def said(head: HeadFacts = HEAD, loss: LossFacts = LOSS, **more: Any) -> list[str]:
    return [finding.rule for finding in apply(RULES, Facts("compute", head=head, loss=loss, **more))]


def level(**changes: Any) -> HeadFacts:
    return replace(HEAD, levels=(replace(LEVEL, **changes),))


def gradient(**changes: Any) -> HeadFacts:
    return replace(HEAD, gradients=(replace(GRADIENT, **changes),))


def test_a_head_that_learns_is_left_alone() -> None:
    assert said() == []
    assert list(apply(RULES, Facts("compute", loss=LOSS))) == []


@pytest.mark.parametrize(
    ("head", "rule"),
    [
        (level(separation=0.52), "background-like-boxes"),
        (replace(HEAD, objectness=ReachedFacts(0.5, 0.5, 0.1)), "objectness-like-constant"),
        (level(box_saturated=0.3), "answers-saturated"),
        (level(slots_saturated=51), "answers-saturated"),
        (gradient(norm=0.0), "gradient-vanished"),
        (gradient(not_finite=1), "gradient-not-finite"),
        (replace(HEAD, confusion=(ConfusionFacts("cat", "dog", 11, 20),)), "class-taken-for-another"),
    ],
)
def test_what_trips(head: HeadFacts, rule: str) -> None:
    assert said(head) == [rule]


@pytest.mark.parametrize(
    "head",
    [
        replace(level(separation=0.52), steps=(0,)),
        level(separation=0.52, slots=9),
        level(separation=None),
        level(box_saturated=None, slots_saturated=50),
        gradient(norm=0.0, positives=0),
        replace(HEAD, objectness=ReachedFacts(0.4, 0.5, 0.1)),
        replace(HEAD, steps=(0,), objectness=ReachedFacts(0.6, 0.5, 0.1)),
        replace(HEAD, objectness=ReachedFacts(0.0, 0.0, 0.0)),
        replace(HEAD, confusion=(ConfusionFacts("cat", "dog", 10, 20), ConfusionFacts("ant", "bee", 9, 9))),
        replace(HEAD, steps=(0,), confusion=(ConfusionFacts("cat", "dog", 20, 20),)),
    ],
)
def test_what_does_not(head: HeadFacts) -> None:
    assert said(head) == []


def test_a_term_that_is_zero_has_no_gradient_by_right() -> None:
    loss = replace(LOSS, terms=(replace(TERM, value=0.0),))
    assert said(gradient(norm=0.0), loss) == []


def test_above_step_0_of_the_last_step_alone() -> None:
    high = replace(LOSS, totals={"box": 0.09, "obj": 0.05, "total": 0.1})
    assert said(loss=high) == ["term-above-step-0"]
    dumps = tuple(
        DumpFacts("x", step, None, 0, "every", 1, 1, "float32", {"box": box, "total": box}, None) for step, box in ((0, 0.2), (1, 0.05))
    )
    assert said(loss=high, dumps=dumps) == []
    assert said(loss=high, dumps=dumps[::-1]) == ["term-above-step-0", "term-above-step-0"]
