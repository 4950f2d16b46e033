"""What is printed of real head outputs: between the marks, over the steps, and where they are not finite."""

from __future__ import annotations

import math
from dataclasses import replace

from head_samples import HEAD

from detloss_cli.facts import LossFacts
from detloss_cli.facts.heads import CHECKPOINT, DumpFacts, HeadFacts, ReachedFacts, StepTermFacts
from detloss_cli.finding import Finding, Where
from detloss_cli.report.sections.heads import answers_table, cells_table, gradients_table, worst_boxes
from detloss_cli.report.sections.not_finite import not_finite_list
from detloss_cli.report.sections.standing import standing_table

MARKS = {"prior": {"box": 1.0, "obj": 0.5}, "base_rate": {"box": 1.0, "obj": 0.4}, "perfect": {"box": 0.0, "obj": 0.0}}


def loss(box: float, obj: float) -> LossFacts:
    return LossFacts((), {"box": box, "obj": obj, "total": box + obj}, 1.0, 1, MARKS)


def dump(step: int, box: float, trigger: str = "every") -> DumpFacts:
    terms = tuple(StepTermFacts("box", level, box / 2, 0.1) for level in ("P3", "P4"))
    return DumpFacts("x", step, None, 0, trigger, 1, 1, "float32", {"box": box, "obj": 0.1, "total": box + 0.1}, None, None, terms)


def standing(facts: LossFacts, dumps: tuple[DumpFacts, ...] = (), head: HeadFacts = HEAD, width: int = 100) -> list[str]:
    return [line.plain for line in standing_table(facts, dumps, head, width)]


def test_where_each_term_stands() -> None:
    _, _, box, obj = standing(loss(0.25, 0.45))
    assert box.split() == ["box", "1.0000", "1.0000", ".0000", ".2500", "75", "%", "█████████░░░", "below", "step", "0"]
    assert obj.endswith("above the base rate")
    assert standing(loss(2.0, 0.3))[2].endswith("above step 0")
    assert standing(loss(2.0, 0.3))[3].endswith("below the base rate")
    assert "nan" in standing(loss(math.nan, 0.3))[2]


def test_over_the_steps_of_a_run() -> None:
    lines = standing(loss(0.5, 0.1), (dump(0, 1.0), dump(10, 0.5), dump(20, 0.2)))
    assert lines[1].endswith("of the way  3 steps")
    assert lines[2].split()[4:] == ["1.0000", ".2000", "80", "%", "█▄▁"]
    assert [line.split()[0] for line in lines[3:5]] == ["P3", "P4"]
    assert "first" not in standing(loss(0.5, 0.1), (dump(0, 1.0, CHECKPOINT), dump(1, 0.5, CHECKPOINT)))[1]
    assert "first" not in standing(loss(0.5, 0.1), (dump(4, 1.0), dump(4, 0.5)))[1]  # two ranks of one step


def test_objectness_at_the_overlaps_of_now() -> None:
    better = standing(loss(0.5, 0.1), head=replace(HEAD, objectness=ReachedFacts(0.3, 0.5, 0.1)))
    assert better[-1] == "obj at these overlaps: constant .5000 · now .3000 · floor .1000 · 50 % of the way"
    worse = standing(loss(0.5, 0.1), head=replace(HEAD, objectness=ReachedFacts(0.6, 0.5, 0.1)))
    assert worse[-1].endswith("no better than a constant")


def test_every_table_fits_eighty_columns() -> None:
    tables = (
        answers_table(HEAD, (), 80), gradients_table(HEAD, 80), cells_table(HEAD.cells, 80), worst_boxes(HEAD.answers, 80),
        standing_table(loss(0.5, 0.1), (), HEAD, 80),
    )  # fmt: skip
    for table in tables:
        lines = [line.plain for line in table]
        assert lines
        assert max(map(len, lines)) <= 80


def test_foreign_text_is_made_safe() -> None:
    lines = [line.plain for table in (cells_table(HEAD.cells, 140), worst_boxes(HEAD.answers, 140)) for line in table]
    assert not any("\x1b" in line for line in lines)
    assert any("evil" in line for line in lines)


def test_where_head_outputs_are_not_finite() -> None:
    def found(number: int) -> list[Finding]:
        return [
            Finding("DET501", "prediction-not-finite", "error", f"P{index}: 3 NaN", Where("a/step1.safetensors", None), "look before")
            for index in range(number)
        ]

    lines = [line.plain for line in not_finite_list(found(5), 80)]
    assert lines == [
        "not finite  step1.safetensors",
        "  P0: 3 NaN",
        "  P1: 3 NaN",
        "  P2: 3 NaN",
        "  and 2 more: --format json lists them",
        "  -> look before",
    ]
    assert list(not_finite_list(found(1), 80)) == []
