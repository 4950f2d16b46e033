"""What is worth a line: by how much classes and levels differ, and where that is nothing to speak of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from detloss_cli import families
from detloss_cli.checks.notable import MEANS_BY_LEVEL, notable
from detloss_cli.diagnose.loss import compute
from detloss_cli.facts import ClassFacts, Facts
from detloss_cli.resolve import Request

SAMPLE = Path(__file__).parents[3] / "sample_data" / "vegetables" / "data.yaml"


def run(family: str = "yolov5") -> Facts:
    return compute(Request("compute", (str(SAMPLE),), family=family, device="cpu"))[0]


@pytest.mark.parametrize(
    ("boxes", "said"),
    [
        ((59, 2317), ["b 0 has 59 boxes, b 1 2,317 (39x)"]),
        ((1, 0, 20), ["b 0 has 1 box, b 2 20 (20x)"]),
        ((10, 99), []),
        ((10, 100), ["b 0 has 10 boxes, b 1 100 (10x)"]),
        ((0, 500), []),
        ((), []),
    ],
)
def test_classes_that_are_far_apart(boxes: tuple[int, ...], said: list[str]) -> None:
    facts = run()
    assert facts.labels is not None
    classes = tuple(ClassFacts(number, f"b {number}", one, one) for number, one in enumerate(boxes))
    told = [one.text for one in notable(replace(facts, labels=replace(facts.labels, classes=classes), levels=()))]
    assert told == said


def test_levels_where_a_mean_by_level_makes_few_positives_heavy() -> None:
    facts = run()
    assert facts.loss is not None
    assert facts.levels is not None
    value = {level.level: sum(term.value for term in facts.loss.terms if term.level == level.level) for level in facts.levels}
    weight = {level.level: value[level.level] / level.positives for level in facts.levels}
    assert [one.text for one in notable(facts)] == [f"one positive of P5 weighs {weight['P5'] / weight['P3']:.1f}x one of P3"]
    even = tuple(replace(level, weight_per_positive=1.0) for level in facts.levels)
    assert [*notable(replace(facts, levels=even))] == []


# A small box in one picture, a large one in each of some others.
SMALL, LARGE = "0 .5 .5 .03 .03\n", "0 .5 .5 .6 .6\n"


def own_terms(folder: Path, family: str, large: int) -> dict[tuple[str, str | None], float]:
    """Values of the terms that no empty cell adds to."""
    (folder / "labels").mkdir(parents=True)
    for number, row in enumerate([SMALL, *[LARGE] * large]):
        (folder / "labels" / f"{number}.txt").write_text(row)
    facts, _ = compute(Request("compute", (str(folder / "labels"),), family=family, device="cpu", names="2"))
    assert facts.loss is not None
    assert facts.box_loss is not None
    whole = {name for name, rest in facts.box_loss.background.items() if abs(rest) <= 1e-5 * abs(facts.loss.totals[name])}
    return {(term.name, term.level): term.value for term in facts.loss.terms if term.name in whole and term.value}


@pytest.mark.parametrize("family", list(families.MODULES))
def test_where_losses_are_means_by_level_more_boxes_of_one_change_nothing(family: str, tmp_path: Path) -> None:
    few, many = own_terms(tmp_path / "few", family, 1), own_terms(tmp_path / "many", family, 3)
    assert few
    same = all(few[key] == pytest.approx(many.get(key, 0), rel=1e-5) for key in few)
    assert (same and len({level for _, level in few}) > 1) is (family in MEANS_BY_LEVEL)


def test_other_losses_are_not_said_to_weigh_levels() -> None:
    facts = run("keras-yolo3")
    assert max(level.weight_per_positive or 1 for level in facts.levels or ()) > 2  # confidence of empty cells
    assert [*notable(facts)] == []


def test_without_a_loss_no_level_weighs() -> None:
    facts = run()
    levels = tuple(replace(level, weight_per_positive=None) for level in facts.levels or ())
    assert [*notable(replace(facts, loss=None, levels=levels))] == []
