"""What moves between runs, on runs made by hand whose moves are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import made_comparisons
import made_runs
import numpy as np

from detloss_cli.diagnose.compare_runs import MOST_LISTED, compared
from detloss_cli.facts import Facts
from detloss_cli.facts.compare import BoxMoves


def run(positives: Sequence[int], lines: Sequence[int], reasons: dict[int, str] | None = None) -> Facts:
    told = {line: "why" for line, number in zip(lines, positives, strict=True) if not number} | (reasons or {})
    return replace(made_runs.yolov5(), boxes=made_comparisons.boxes(positives, lines, told))


def moves(first: Facts, other: Facts, listed: int = MOST_LISTED) -> BoxMoves:
    return compared("", [("a", first), ("b", other)], listed).moves[0]


def test_each_way_a_box_can_move() -> None:
    first = run([5, 9, 3, 3, 0, 4, 0], [1, 2, 3, 4, 5, 6, 7])
    other = run([0, 0, 2, 7, 6, 0, 1], [1, 2, 3, 4, 5, 7, 8])
    found = moves(first, other)
    assert found.counts == {"lost": 2, "only_first": 1, "fewer": 1, "gained": 1, "only_second": 1, "more": 1}
    assert (found.both, found.same) == (6, 1)
    assert [(box.change, box.line, box.before, box.after) for box in found.boxes] == [
        ("lost", 2, 9, 0),
        ("lost", 1, 5, 0),
        ("only_first", 6, 4, None),
        ("fewer", 3, 3, 2),
        ("gained", 5, 0, 6),
        ("only_second", 8, None, 1),
        ("more", 4, 3, 7),
    ]
    assert [box.reason for box in found.boxes] == ["why", "why", "", "", "why", "", ""]


def test_one_positive_is_enough_to_be_lost() -> None:
    assert moves(run([1], [1]), run([0], [1])).counts["lost"] == 1


def test_the_same_run_moves_nothing() -> None:
    one = run([5, 0], [1, 2])
    facts = compared("", [("a", one), ("b", one)])
    assert facts.settings == ()
    assert facts.keys == ()
    assert facts.lost == {}
    assert facts.moves[0].boxes == ()
    assert facts.moves[0].same == 2


def test_a_class_that_changed_is_another_box() -> None:
    first, other = run([5], [1]), run([5], [1])
    assert other.boxes is not None
    other = replace(other, boxes=replace(other.boxes, cls=other.boxes.cls + 1))
    assert moves(first, other).counts["only_first"] == moves(first, other).counts["only_second"] == 1


def test_a_single_class_is_matched_all_the_same() -> None:
    first, other = run([5], [1]), run([0], [1])
    assert other.boxes is not None
    single = made_runs.settings(num_classes=1)
    other = replace(other, settings=single, boxes=replace(other.boxes, cls=other.boxes.cls * 0))
    assert moves(first, other).counts["lost"] == 1


def test_boxes_that_are_alike_are_matched_in_turn() -> None:
    found = moves(run([5, 3, 1], [4, 4, 4]), run([5, 0, 1], [4, 4, 4]))
    assert (found.both, found.same, found.counts["lost"]) == (3, 2, 1)
    assert moves(run([5, 3], [4, 4]), run([5], [4])).counts["only_first"] == 1


def test_paths_are_matched_below_the_root() -> None:
    first, other = run([5, 2], [1, 2]), run([5, 0], [1, 2])
    assert other.boxes is not None
    assert other.data is not None
    here = other.boxes.path
    elsewhere = replace(here, texts=[path.replace(made_runs.ROOT, "/mnt/copy") for path in here.texts])
    other = replace(other, data=replace(other.data, root="/mnt/copy"), boxes=replace(other.boxes, path=elsewhere))
    found = moves(first, other)
    assert found.both == 2
    assert found.boxes[0].path == "labels/train/IMG_6633_frame0112.txt"


def test_all_are_counted_and_some_listed() -> None:
    lines = list(range(1, 51))
    found = moves(run([4] * 50, lines), run([0] * 50, lines), listed=7)
    assert found.counts["lost"] == 50
    assert len(found.boxes) == 7


def test_runs_without_boxes() -> None:
    nothing = run([], [])
    assert moves(nothing, nothing) == BoxMoves(1, 0, 0, dict.fromkeys(moves(nothing, nothing).counts, 0), ())
    assert moves(nothing, run([3], [1])).counts["only_second"] == 1
    assert moves(replace(nothing, boxes=None), run([3], [1])).boxes == ()


def test_keys_of_two_families() -> None:
    facts = made_comparisons.compared_runs().compare
    assert facts is not None
    keys = {key.key: key for key in facts.keys}
    assert keys["box"].note == "0.05 is 150x too small for yolov8"
    assert keys["box"].hyp == (0.05, 7.5)
    assert keys["cls"].used == (0.075, 0.5)
    assert keys["cls"].note == "yolov5 scales it by 0.15, yolov8 by 1"
    assert keys["obj"].hyp == (1.0, None)
    assert keys["dfl"].hyp == (None, 1.5)
    assert "power" in keys["cls_pw"].note
    assert [name for name, key in keys.items() if key.off_scale] == ["box"]


def test_a_gain_that_was_copied_is_named_too() -> None:
    """The same file under both trainers: the number is equal, and wrong in the second."""
    first, other = made_runs.yolov5(), made_comparisons.yolo11()
    gains = tuple(replace(gain, hyp=0.05, used=0.05) if gain.key == "box" else gain for gain in other.gains or ())
    facts = compared("--model", [("yolov5s", first), ("yolo11s", replace(other, gains=gains, keys=None))])
    assert next(key for key in facts.keys if key.key == "box").note == "0.05 is 150x too small for yolov8"
    back = compared("--model", [("yolo11s", other), ("yolov5s", first)])
    assert next(key for key in back.keys if key.key == "box").note == "7.5 is 150x too large for yolov5"


def test_settings_and_lost_rows_that_differ() -> None:
    facts = made_comparisons.compared_runs().compare
    assert facts is not None
    told = dict(facts.settings)
    assert told["loader"] == ("yolov5-7.0", "ultralytics-8.4")
    assert told["hyp"] == ("hyp.scratch-low.yaml", "hyp.yolov8.yaml")
    assert "imgsz" not in told
    assert facts.lost == {"mixed-rows": (0, 31)}


def test_three_runs_are_held_against_the_first() -> None:
    one, two, three = run([5, 5], [1, 2]), run([0, 5], [1, 2]), run([5, 0], [1, 2])
    facts = compared("--imgsz", [("a", one), ("b", two), ("c", three)])
    assert [(move.run, [box.line for box in move.boxes]) for move in facts.moves] == [(1, [1]), (2, [2])]


def test_the_loss_of_a_box_moves_along() -> None:
    first, other = run([5], [1]), run([2], [1])
    told = made_comparisons.box_loss({"box": 2.0, "cls": 1.0, "total": 3.0}, 1)
    box = moves(replace(first, box_loss=told), other).boxes[0]
    assert box.loss_before == np.float64(1.5)
    assert box.loss_after is None
