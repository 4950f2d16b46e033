"""Rules about anchors: each sample trips its own rule, the stock anchors on the same boxes none, and each can be talked out of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from detloss_cli.checks.anchors import RULES
from detloss_cli.checks.facts_rule import apply
from detloss_cli.diagnose.anchors import Fit, inspect_anchors
from detloss_cli.resolve import Request

BROKEN = Path(__file__).parents[3] / "sample_data" / "broken"
NAMES = [each.rule.name for each in RULES]
# What cannot be without saying another thing as well.
ALSO = {"anchors-not-fitted": {"model-anchors-fitted"}}


def request(name: str, **changes: object) -> Request:
    folder = BROKEN / name
    hyp = folder / "hyp.yaml"
    values = {"model": str(folder / "model.yaml"), "hyp": str(hyp) if hyp.exists() else None} | changes
    return Request("inspect anchors", (str(folder / "data.yaml"),), **values)


@pytest.mark.parametrize("name", NAMES)
def test_exactly_this_rule(name):
    _, findings = inspect_anchors(request(name))
    assert {finding.rule for finding in findings} == {name} | ALSO.get(name, set())


@pytest.mark.parametrize("name", NAMES)
def test_without_its_cause_it_is_silent(name):
    cure = {"model": "yolov5s", "hyp": None}
    if name in ("anchor-recall", "anchor-recall-scaled"):
        cure = {"hyp": "yolov5-long"}
    elif name == "level-starving":
        cure = {"imgsz": (1920, 1920)}
    facts, _ = inspect_anchors(request(name, **({} if "yolov5-long" in cure.values() else cure)))
    if name == "anchor-recall":  # the sliver alone is the cause
        facts = replace(facts, anchors=replace(facts.anchors, present=replace(facts.anchors.present, best_possible_recall=0.981)))
    if name == "anchor-recall-scaled":
        facts = replace(facts, anchors=replace(facts.anchors, by_scale=tuple((f, 1.0) for f, _ in facts.anchors.by_scale)))
    assert name not in {finding.rule for finding in apply(RULES, facts)}


def test_findings_stand_in_the_model_file():
    _, findings = inspect_anchors(request("anchor-units"))
    (finding,) = findings
    assert (Path(finding.where.path).name, finding.where.line, finding.severity) == ("model.yaml", 2, "error")
    assert "33.3% of the boxes, as cells of their level 100.0%" in finding.message


def test_units_as_fractions(tmp_path):
    model = tmp_path / "model.yaml"
    stock = [(10, 13), (16, 30), (33, 23), (30, 61), (62, 45), (59, 119), (116, 90), (156, 198), (373, 326)]
    rows = [", ".join(f"{w / 640:.6f},{h / 640:.6f}" for w, h in stock[i : i + 3]) for i in (0, 3, 6)]
    model.write_text("strides: [8, 16, 32]\nanchors:\n" + "".join(f"  - [{row}]\n" for row in rows))
    _, findings = inspect_anchors(request("anchor-units", model=str(model)))
    assert [finding.rule for finding in findings] == ["anchor-units"]
    assert "fractions of the picture 100.0%" in findings[0].message


@pytest.mark.parametrize(("number", "refits"), [(0.98, True), (0.9801, False)])
def test_the_decision_of_autoanchor_is_at_098(number, refits):
    from detloss_cli.measure.anchors import _refits

    facts, _ = inspect_anchors(request("anchor-recall"))
    present = replace(facts.anchors.present, best_possible_recall=number)

    class Task:
        auto = True

    assert _refits(present, Task) is refits
    fired = [f.rule for f in apply(RULES, replace(facts, anchors=replace(facts.anchors, present=present)))]
    assert ("anchor-recall" in fired) is refits


def test_a_head_with_a_number_is_fitted_and_judged_by_the_fit(tmp_path):
    model = tmp_path / "model.yaml"
    model.write_text("strides: [8, 16, 32]\nanchors: 2\n")
    facts, findings = inspect_anchors(request("anchor-order", model=str(model)))
    anchors = facts.anchors
    assert (anchors.present, anchors.fit_number, anchors.refits) == (None, 6, True)
    assert [len(row) for row in anchors.fitted.anchors] == [2, 2, 2]
    assert facts.levels[0].anchors == anchors.fitted.anchors[0]
    assert {finding.rule for finding in findings} == {"model-anchors-fitted"}


def test_a_hyp_with_a_number_of_anchors_wins_over_the_model(tmp_path):
    hyp = tmp_path / "hyp.yaml"
    hyp.write_text("box: 0.05\ncls: 0.5\ncls_pw: 1.0\nobj: 1.0\nobj_pw: 1.0\nanchor_t: 4.0\nfl_gamma: 0.0\nanchors: 2.4\n")
    facts, _ = inspect_anchors(request("anchor-order", model="yolov5s", hyp=str(hyp)), Fit(generations=10))
    assert (facts.anchors.fit_why, facts.anchors.fit_number) == ("hyp key anchors: 2.4", 6)
    assert facts.anchors.present is not None
    assert facts.anchors.fitted is not None


def test_scale_is_the_hyp_s():
    facts, _ = inspect_anchors(request("anchor-recall-scaled"))
    assert facts.anchors.scale == 0.5
    assert [factor for factor, _ in facts.anchors.by_scale] == pytest.approx([0.5 + i / 10 for i in range(11)])
    by_scale = dict(facts.anchors.by_scale)
    assert (by_scale[0.5], by_scale[1.0]) == (pytest.approx(0.9), pytest.approx(1.0))


@pytest.mark.parametrize(("family", "model", "test"), [("yolov3-spp", "yolov3-spp", "shape"), ("keras-yolo3", "keras-yolo3", "best")])
def test_other_families_match_in_their_own_way(family, model, test):
    facts, findings = inspect_anchors(request("anchor-recall", model=model), Fit(True, generations=5))
    assert (facts.settings.family, facts.anchors.test, facts.anchors.refits) == (family, test, None)
    assert (facts.levels is None) == (test == "best")
    assert facts.anchors.fitted.fitness >= facts.anchors.present.fitness
    assert "anchor-order" not in {finding.rule for finding in findings}
