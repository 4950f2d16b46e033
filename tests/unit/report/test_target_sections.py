"""Parts of the targets screen: groups, collisions, one picture anchor by anchor."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import made_inspections
import made_runs
import pytest

from detloss_cli.diagnose.loss import compute, inspect_targets
from detloss_cli.report.look import Look
from detloss_cli.report.report import build
from detloss_cli.report.sections.anchors import anchors_table
from detloss_cli.report.sections.collisions import collisions_lines
from detloss_cli.report.sections.groups import MOST, groups_table
from detloss_cli.report.sections.image_anchors import image_anchors
from detloss_cli.report.text_format import render
from detloss_cli.resolve import Request

SAMPLE = str(Path(__file__).parents[3] / "sample_data" / "vegetables" / "data.yaml")


def test_groups_are_held_against_all_of_their_kind() -> None:
    lines = [line.plain.split() for line in groups_table(made_inspections.targets(), 80)]
    assert ["class", "okraSeed", "9", ".4", "%"] in lines  # of 2,317
    assert ["pepperFlower", "3", "5", "%"] in lines  # of 59


def test_many_classes_are_summed_up() -> None:
    facts = made_inspections.targets()
    assert facts.assignment is not None
    many = {f"class_{i}": i + 1 for i in range(MOST + 3)}
    lines = [line.plain for line in groups_table(replace(facts, assignment=replace(facts.assignment, by_class=many)), 80)]
    assert any("3 more" in line and line.split()[-1] == "6" for line in lines)


def test_no_groups_where_every_box_trains() -> None:
    facts = made_inspections.targets()
    assert list(groups_table(replace(facts, assignment=made_runs.assignment(10, 5)), 80)) == []


def test_the_floor_is_the_row_of_the_perfect_head() -> None:
    facts, _ = compute(Request("compute", (SAMPLE,), split="val"))
    assert facts.assignment is not None
    assert facts.loss is not None
    assert facts.assignment.collision_cost == facts.loss.marks["perfect"]
    (floor,) = [line.plain for line in collisions_lines(facts, 100) if line.plain.startswith("floor")]
    assert floor == "floor    perfect answers still pay .006748 · box .006742 · obj .000005 · cls .000000"


@pytest.mark.parametrize(("changes", "words"), [({"collision_slots": 0, "collision_rows": 0}, "no slot is claimed twice")])
def test_no_collisions(changes: dict[str, int], words: str) -> None:
    facts = replace(made_inspections.targets(), assignment=made_runs.assignment(10, 5, **changes))
    assert [line.plain for line in collisions_lines(facts, 80)] == [f"shared   {words}"]


def test_one_picture_anchor_by_anchor() -> None:
    facts, _ = inspect_targets(Request("inspect targets", (SAMPLE,), image="IMG_6635_frame0209", imgsz=(320, 320)))
    assert facts.image is not None
    lines = [line.plain for line in image_anchors(facts.image, facts.levels or (), "yolov5", 80)]
    assert len(lines) == 1 + 6 * 3
    assert lines[1].split() == ["1", "P3/8", "10x13", "3", "16x30", "3", "33x23", "3"]
    assert lines[2].split() == ["P4/16", "30x61", "4.7x", "62x45", "3", "59x119", "9.2x"]
    printed = [line.split() for line in lines[1:]]
    total = sum(int(word) for row in printed for word in row[-5::2] if word.isdecimal())
    assert total == len(facts.image.cells) > 0


def test_other_families_say_no_ratio_and_anchor_free_ones_nothing() -> None:
    facts, _ = inspect_targets(Request("inspect targets", (SAMPLE,), image="IMG_6635_frame0209", family="yolov3-spp"))
    assert facts.image is not None
    text = "\n".join(line.plain for line in image_anchors(facts.image, facts.levels or (), "yolov3-spp", 100))
    assert "P5/32" in text
    assert not any(word.endswith("x") for word in text.split())
    free, _ = inspect_targets(Request("inspect targets", (SAMPLE,), image="IMG_6635_frame0209", family="centernet"))
    assert free.image is not None
    assert list(image_anchors(free.image, free.levels or (), "centernet", 100)) == []


def test_the_screen_of_a_picture_has_both_tables() -> None:
    facts, findings = inspect_targets(Request("inspect targets", (SAMPLE,), image="IMG_6635_frame0209"))
    text = render(build("inspect targets", facts, findings), Look(80))
    assert text.index("why none") < text.index("anchor  cells")


def test_anchors_that_do_not_fit_a_line_go_on_below() -> None:
    facts, _ = inspect_targets(Request("inspect targets", (SAMPLE,), family="retinanet", split="val"))
    levels = facts.levels or ()
    for width in (80, 100, 140, 200):
        lines = [line.plain for line in anchors_table(levels, width)]
        assert max(len(line) for line in lines) <= width
        pairs = [word for line in lines[1:] for word in line.split() if "x" in word]
        assert pairs == [f"{w:g}x{h:g}" for level in levels for w, h in level.anchors]
