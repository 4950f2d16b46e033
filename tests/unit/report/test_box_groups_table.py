"""The table of `--by`: numbers stay readable however many there are, and whatever they are."""

from __future__ import annotations

import math

import made_runs

from detloss_cli.facts.box_groups import BoxGroup, BoxGroups
from detloss_cli.report.sections.box_groups import box_groups_table


def lines(groups: BoxGroups, width: int = 80) -> list[str]:
    return [line.plain for line in box_groups_table(made_runs.yolov5(groups=groups), width)]


def group(name: str, box: float, boxes: int = 1) -> BoxGroup:
    return BoxGroup(name, 1, boxes, 12 * boxes, 0, 31.4, {"box": box, "obj": 0.0, "cls": 0.0})


def test_one_of_many_is_held_against_their_mean() -> None:
    rest = group("1,998 more", 0.0019, 1998)
    groups = BoxGroups("image", (group("a.jpg", 9e-6), group("b.jpg", 2.9e-6)), 2000, rest, {"box": 0.0, "obj": 0.1, "cls": 0.0})
    shown = lines(groups)
    mean = (0.0019 + 9e-6 + 2.9e-6) / 2000
    assert [line.split()[1] for line in shown[:3]] == ["x", f"{9e-6 / mean:.1f}x", f"{2.9e-6 / mean:.1f}x"]
    assert [line.split()[-1] for line in shown[1:4]] == [".0000090", ".0000029", ".0019000"]


def test_few_are_held_against_the_whole() -> None:
    shown = lines(BoxGroups("image", (group("a.jpg", 0.1),), 2, group("1 more", 0.05), {"box": 0.0, "obj": 0.06, "cls": 0.0}))
    assert "share" in shown[0]
    assert "%" in shown[1]


def test_what_is_no_number_is_shown_as_it_is() -> None:
    shown = lines(BoxGroups("box", (group("a.txt:1", math.nan), group("a.txt:2", math.inf)), 2, None, {"box": math.nan}), 140)
    assert [line.split()[-1] for line in shown[1:3]] == ["nan", "nan"]
    assert "inf" in shown[2]


def test_a_name_without_room_loses_its_folders_and_then_its_middle() -> None:
    for name, shown in (
        ("labels/train/2024/site/camera_0/frame_000017.jpg", ".../camera_0/frame_000017.jpg"),
        ("train/images/IMG_8_jpg.rf.9db60c26c1a04d1ea3dfdf5a30a1b1b1.jpg", "IMG_8_jpg.rf....a30a1b1b1.jpg"),
        ("images/one_that_has_room_of_its.jpg", "one_that_has_room_of_its.jpg"),
    ):
        lines_of = lines(BoxGroups("image", (group(name, 0.1),), 1, None, {"box": 0.0}), 78)
        assert lines_of[1].split()[0] == shown, lines_of


def test_nothing_where_no_group_was_asked_for() -> None:
    assert [*box_groups_table(made_runs.yolov5(), 80)] == []
