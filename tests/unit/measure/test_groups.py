from __future__ import annotations

import numpy as np
import pytest

from detloss_cli.facts import AssignmentFacts
from detloss_cli.measure.groups import aspects, with_cost, with_groups


def facts(**changes: object) -> AssignmentFacts:
    values: dict[str, object] = dict.fromkeys(("positives", "boxes", "unassigned", "per_box_max", "collision_slots", "class_conflicts"), 0)
    values |= {"by_reason": {}, "by_size": {}, "per_box_mean": 0.0, "per_box_histogram": (), "collision_rows": 2, "boxes_without_slot": 0}
    return AssignmentFacts(**(values | {"best_possible_recall": None, "anchors_per_target": None} | changes))


@pytest.mark.parametrize(
    ("width", "height", "name"),
    [(10, 10, "under 2"), (19.9, 10, "under 2"), (20, 10, "2 to 4"), (10, 40, "4 to 10"), (1, 10, "10 and more"), (0, 10, "no area")],
)
def test_side_ratios(width, height, name):
    found = aspects(np.float32([width]), np.float32([height]))
    assert found == {"under 2": 0, "2 to 4": 0, "4 to 10": 0, "10 and more": 0} | {name: 1}


def test_no_boxes_have_no_groups():
    found = with_groups(facts(), np.zeros((0, 2), np.float32), np.zeros(0, np.int64), ("a",))
    assert (found.by_class, set(found.by_aspect.values())) == ({}, {0})


def test_classes_by_name_and_those_without():
    found = with_groups(facts(), np.ones((4, 2), np.float32), np.array([1, 0, 1, 7]), ("cat", "dog"))
    assert found.by_class == {"cat": 1, "dog": 2, "class_7": 1}


def test_two_classes_of_one_name_are_counted_together():
    assert with_groups(facts(), np.ones((2, 2), np.float32), np.array([0, 1]), ("x", "x")).by_class == {"x": 2}


def test_collisions_cost_what_is_left_to_a_perfect_head():
    assert with_cost(facts(), {"box": 0.5, "total": 0.5}).collision_cost == {"box": 0.5, "total": 0.5}
    assert with_cost(facts(collision_rows=0), {"box": 0.5}).collision_cost is None
    assert with_cost(None, {"box": 0.5}) is None
