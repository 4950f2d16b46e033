"""Rules about terms: each sample trips its own rule, and a term that is odd says why."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from detloss_cli.checks.facts_rule import apply
from detloss_cli.checks.loss import RULES
from detloss_cli.diagnose.loss import compute
from detloss_cli.facts import Facts, LabelFacts, LossFacts, LostRows, TermFacts
from detloss_cli.resolve import Request

BROKEN = Path(__file__).parents[3] / "sample_data" / "broken"
NAMES = [each.rule.name for each in RULES]
# What cannot be without saying another thing as well; of severity error only `infinite-loss`, which names the row.
ALSO = {
    "term-not-finite": {"infinite-loss", "level-without-positives"},
    "term-zero": {"box-without-positive", "level-without-positives"},
    "beyond-float16": {"hyp-other-scale", "hyp-range", "term-tiny"},
    "term-tiny": {"hyp-range", "hyp-other-scale"},
}


def request(name: str, **changes: object) -> Request:
    hyp = BROKEN / name / "hyp.yaml"
    family = "keras-yolo3" if name == "term-not-finite" else "auto"
    values = {"hyp": str(hyp) if hyp.exists() else None, "family": family} | changes
    return Request("compute", (str(BROKEN / name / "data.yaml"),), **values)


def found(facts: Facts) -> dict[str, str]:
    return {finding.rule: finding.message for finding in apply(RULES, facts)}


@pytest.mark.parametrize("name", NAMES)
def test_exactly_this_rule(name):
    _, findings = compute(request(name))
    rules = {finding.rule for finding in findings}
    assert name in rules
    assert rules - {name} <= ALSO.get(name, set())


CURES = {
    "term-not-finite": {"family": "yolov5"},
    "term-zero": {"imgsz": (1280, 1280)},
    "term-zero-by-design": {"family": "yolov8"},
    "term-tiny": {"hyp": None},
    "focal-gamma-below-one": {"hyp": None},
    "beyond-float16": {"hyp": None},
}


@pytest.mark.parametrize("name", NAMES)
def test_without_its_cause_it_is_silent(name):
    _, findings = compute(request(name, **CURES[name]))
    still = {finding.rule for finding in findings}
    if name == "term-not-finite":  # yolov5 gives a box without height no positive instead
        assert "term-zero" in still
    assert name not in still


def term(name: str, value: float, gain: float = 1.0, count: int = 10) -> TermFacts:
    return TermFacts(name, "P3", value / gain if gain else 0.0, gain, value, None, count, None)


def loss(*terms: TermFacts, factor: float = 1.0, **notes: float) -> LossFacts:
    totals = {one.name: one.value for one in terms} | {"total": math.fsum(one.value for one in terms)}
    return LossFacts(terms, totals, factor, 1, {}, notes)


def facts(name: str = "term-tiny", **changes: object) -> Facts:
    whole, _ = compute(request(name, hyp=None))
    return replace(whole, **changes)


def test_why_a_term_is_zero():
    def labels(**changes: object) -> LabelFacts:
        return replace(facts().labels, **changes)

    nothing = loss(term("box", 0.0), term("obj", 0.5))
    lost = LostRows(7, 2, {"column-count": 5, "not-numeric": 2})
    dropped = found(facts(loss=nothing, labels=labels(rows=7, kept=0, lost=lost)))
    assert dropped == {"term-zero": "box is 0: the loader drops all 7 rows, 5 of them by column-count"}
    empty = found(facts(loss=nothing, labels=labels(images=4, rows=0, kept=0, missing=3)))
    assert empty["term-zero"] == "box is 0: no label file of 4 images holds a row (3 images have no label file)"
    gain = replace(facts().gains[0], used=0.0)
    assert found(facts(loss=nothing, gains=(gain,)))["term-zero"] == "box is 0: its gain box is 0"
    assert found(facts(loss=nothing))["term-zero"] == "box is 0: this head happens to give what is asked for"


def test_a_box_without_positives_is_the_cause_with_its_reason():
    whole, _ = compute(request("term-zero"))
    assert found(whole)["term-zero"].endswith("is 0: none of 1 boxes gets a positive: too small for 1 of them")


def test_the_perfect_head_is_meant_to_be_at_zero():
    whole, _ = compute(request("term-tiny", hyp=None, head="perfect"))
    assert found(replace(whole, loss=loss(term("box", 0.0), term("obj", 1e-9), term("cls", 1.0)))) == {
        "beyond-float16": "obj is 1.0e-09, which float16 rounds to 0"
    }


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_why_a_term_is_not_finite(value):
    odd = loss(term("box", value), term("obj", 0.5))
    assert found(facts(loss=odd)) == {"term-not-finite": f"box is {value} on P3: no row of the labels explains it"}
    half = replace(facts().settings, dtype="float16")
    assert found(facts(loss=odd, settings=half))["term-not-finite"].endswith("a number left the range of float16")
    real = replace(facts().settings, preds="dump.npz")
    assert found(facts(loss=odd, settings=real))["term-not-finite"].endswith("head outputs are too large for its exponentials")


def test_focal_is_why_objectness_is_tiny():
    small = loss(term("box", 1.0), term("obj", 2.7e-6), fl_gamma=1.5)
    assert found(facts(loss=small)) == {
        "term-tiny": "obj is 2.7e-06, 2.7e-06 of the loss: fl_gamma 1.5 shrinks what is answered well already"
    }
    assert found(facts(loss=loss(term("box", 1.0), term("obj", 2e-4)))) == {}


@pytest.mark.parametrize(("gamma", "fires"), [(0.0, False), (0.5, True), (0.99, True), (1.0, False), (1.5, False)])
def test_gamma(gamma, fires):
    assert ("focal-gamma-below-one" in found(facts(loss=loss(term("box", 1.0), fl_gamma=gamma)))) is fires


@pytest.mark.parametrize(("value", "factor", "fires"), [(4094.0, 16.0, False), (4095.0, 16.0, True), (70_000.0, 1.0, True)])
def test_the_range_of_float16(value, factor, fires):
    assert ("beyond-float16" in found(facts(loss=loss(term("box", value), factor=factor)))) is fires


def test_nothing_without_a_loss():
    assert found(facts(loss=None)) == {}
