"""The fate of each kind of row under each public loader, as the trainers' own code decides it."""

from __future__ import annotations

import pytest

from detloss_cli.inputs.limits import DEFAULT
from detloss_cli.inputs.load_file import load_file
from detloss_cli.inputs.load_strict import load_strict
from detloss_cli.inputs.loaded import Loaded
from detloss_cli.inputs.loaders import LOADERS, STRICT_DROPS
from detloss_cli.inputs.row_text import read_text

COLUMNS = ("yolov3-spp", "yolov5-4.0", "yolov5-6.1", "yolov5-7.0", "yolov7", "ultralytics-8.4", "strict")
GOOD = b"1 0.25 0.5 0.2 0.1\n"
POLYGON = b"0 .1 .1 .4 .1 .4 .4 .1 .4 .2 .3\n"
SMALL = b"0 .1 .1 .4 .1 .4 .4\n"

# A file that also holds GOOD, as its first row -> what becomes of it: the boxes that are kept, or how the image is lost.
TABLE: dict[str, tuple[bytes, tuple[int | str, ...]]] = {
    #                                                        v3-spp        v5-4.0  v5-6.1  v5-7.0  v7      ultra   strict
    "clean": (b"0 0.5 0.5 0.2 0.2", (2, 2, 2, 2, 2, 2, 2)),
    "6 columns": (b"0 0.5 0.5 0.2 0.2 0.9", ("background", "drop", "drop", "drop", "drop", "drop", 1)),
    "comma": (b"0,0.5,0.5,0.2,0.2", ("background", "drop", "drop", "drop", "drop", "drop", 1)),
    "ragged": (b"0 0.5 0.5 0.2", ("background", "drop", "drop", "drop", "drop", "drop", 1)),
    "empty line": (b"\n0 0.5 0.5 0.2 0.2", ("background", 2, 2, 2, 2, 2, 2)),
    "blank line": (b" \n0 0.5 0.5 0.2 0.2", ("background", "drop", "drop", "drop", "drop", 2, 2)),
    "blanks at the end": (b"0 0.5 0.5 0.2 0.2\n \n\n", ("background", 2, 2, 2, 2, 2, 2)),
    "same row again": (GOOD.strip(), (2, "drop", 1, 1, "drop", 1, 2)),
    "above 1": (b"0 1.02 0.5 0.2 0.2", ("stop", "drop", "drop", "drop", "drop", "drop", 1)),
    "just above 1": (b"0 1.005 0.5 0.2 0.2", ("stop", "drop", "drop", "drop", "drop", 2, 1)),
    "below 0": (b"0 -0.02 0.5 0.2 0.2", ("stop", "drop", "drop", "drop", "drop", "drop", 1)),
    "just below 0": (b"0 -0.005 0.5 0.2 0.2", ("stop", "drop", "drop", "drop", "drop", 2, 1)),
    "negative width": (b"0 0.5 0.5 -0.005 0.2", ("stop", "drop", "drop", "drop", "drop", "drop", 1)),
    "nan": (b"0 nan 0.5 0.2 0.2", ("stop", "drop", "drop", "drop", "drop", "drop", 1)),
    "inf": (b"0 0.5 0.5 inf 0.2", ("stop", "drop", "drop", "drop", "drop", "drop", 1)),
    "class 2 of 2": (b"2 0.5 0.5 0.2 0.2", (1, 1, 1, 1, 1, "drop", 1)),
    "class -1": (b"-1 0.5 0.5 0.2 0.2", ("stop", "drop", "drop", "drop", "drop", "drop", 1)),
    "class 0.5": (b"0.5 0.5 0.5 0.2 0.2", (2, 2, 2, 2, 2, "drop", 1)),
    "class 1.0": (b"1.0 0.5 0.5 0.2 0.2", (2, 2, 2, 2, 2, 2, 2)),
    "zero width": (b"0 0.5 0.5 0 0.2", (2, 2, 2, 2, 2, 2, 1)),
    "past the edge": (b"0 0.98 0.5 0.2 0.2", (2, 2, 2, 2, 2, 2, 2)),
    "python number": (b"0 0.5 0.5 0.2 0_1e-1", (2, 2, 2, 2, 2, 2, 1)),
    "not utf-8": (b"0 0.5 0.5 0.2 0.2 \xff", ("background", "drop", "drop", "drop", "drop", "drop", 1)),
    "line separator": ("0 0.5 0.5\u20280.2 0.2".encode(), ("background", "drop", "drop", "drop", "drop", "drop", 1)),
    "old Mac": (b"0 0.5 0.5 0.2 0.2\r0 0.4 0.4 0.2 0.2", (3, 3, 3, 3, 3, 3, 1)),
    "mixed": (POLYGON, ("background", 2, 2, 2, 2, "drop", 1)),
}  # fmt: skip

# Whole files.
FILES: dict[str, tuple[bytes, tuple[int | str, ...]]] = {
    "6 columns only": (b"0 0.5 0.5 0.2 0.2 0.9\n", ("stop", "drop", "drop", "drop", "drop", "drop", 0)),
    "triangle": (SMALL, ("stop", "drop", "drop", 1, "drop", 1, 1)),
    "polygon": (POLYGON, ("stop", 1, 1, 1, 1, 1, 1)),
    "triangle beside a polygon": (POLYGON + b"0 .5 .5 .6 .5 .6 .6\n", ("background", 2, 2, 2, 2, 2, 2)),
    "the same rectangle twice": (SMALL + b"0 .1 .4 .4 .4 .1 .1\n", ("stop", "drop", "drop", 1, "drop", 2, 2)),
    "byte-order mark": (b"\xef\xbb\xbf" + GOOD, ("background", "drop", "drop", "drop", "drop", 1, 1)),
    "empty": (b"", (0, 0, 0, 0, 0, 0, 0)),
    "blanks": (b" \n\n", (0, 0, 0, 0, 0, 0, 0)),
    "polygon that leaves": (b"0 .1 .1 .4 .1 .4 2.5\n", ("stop", "drop", "drop", "drop", "drop", "drop", 0)),
}  # fmt: skip


def loaded(data: bytes, loader: str) -> Loaded:
    reading = read_text("a.txt", data, 2, DEFAULT)
    rule = LOADERS[loader]
    return load_strict(reading) if rule.by_row else load_file("a.txt", data, reading, rule, 2)


def outcome(data: bytes, loader: str) -> int | str:
    found = loaded(data, loader)
    assert len(found.boxes) + sum(found.lost.values()) >= len(read_text("a.txt", data, 2, DEFAULT).written)
    return next((fate.action for fate in found.fates if fate.line is None), len(found.boxes))


@pytest.mark.parametrize("loader", COLUMNS)
@pytest.mark.parametrize("case", TABLE)
def test_row(case: str, loader: str) -> None:
    row, expected = TABLE[case]
    assert outcome(GOOD + row + b"\n", loader) == expected[COLUMNS.index(loader)]


@pytest.mark.parametrize("loader", COLUMNS)
@pytest.mark.parametrize("case", FILES)
def test_file(case: str, loader: str) -> None:
    data, expected = FILES[case]
    assert outcome(data, loader) == expected[COLUMNS.index(loader)]


def test_a_box_row_among_polygons_is_read_as_two_points() -> None:
    found = loaded(POLYGON + b"0 .5 .5 .2 .2\n", "yolov5-7.0")
    assert found.boxes[1] == pytest.approx((2, 0, 0.35, 0.35, 0.3, 0.3))
    assert [(fate.action, fate.line) for fate in found.fates] == [("misread", 2)]


def test_removing_repeats_sorts_the_rows() -> None:
    found = loaded(b"1 .5 .5 .2 .2\n0 .5 .5 .2 .2\n1 .5 .5 .2 .2\n", "yolov5-7.0")
    assert [box.line for box in found.boxes] == [2, 1]
    assert [(fate.action, fate.line) for fate in found.fates] == [("remove", 3)]


def test_an_id_beyond_the_names_stops_yolov5() -> None:
    found = loaded(GOOD + b"2 .5 .5 .2 .2\n", "yolov5-7.0")
    assert [(fate.action, fate.line, fate.kind) for fate in found.fates] == [("stop", 2, "class-out-of-range")]
    assert found.lost == {"class-out-of-range": 1}


def test_counts_add_up_where_a_loader_reads_more_rows_than_lines() -> None:
    found = loaded(b"0 .5 .5 .2 .2\r0 .4 .4 .2 .2\n", "yolov7")
    assert len(found.boxes) == 2
    assert found.lost == {}


def test_a_lost_image_names_the_fault_behind_it() -> None:
    assert loaded(GOOD * 3 + b"0 0.5 0.5 0.2 1.5\n", "yolov7").lost == {"size-above-one": 4}
    assert loaded(GOOD + b"0,0.5,0.5,0.2,0.2\n", "yolov5-7.0").lost == {"separator": 2}


def test_strict_drops_what_the_rules_call_errors() -> None:
    from detloss_cli.checks.registry import BY_NAME

    row_errors = {rule.name for rule in BY_NAME.values() if rule.code[:4] == "DET1" and rule.severity == "error"}
    assert row_errors == STRICT_DROPS
