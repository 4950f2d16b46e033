from __future__ import annotations

import html
import math
from dataclasses import replace

import made_inspections
import made_runs
import numpy as np
import pytest

from detloss_cli.facts import BoxFacts, Facts
from detloss_cli.finding import Finding, Where
from detloss_cli.report import formats, markdown_format, rich_format, text_format
from detloss_cli.report.look import Look
from detloss_cli.report.report import Report, build
from detloss_cli.report.sections.findings import more_of

HOSTILE = "a[/red][bold]\x1b[2J:smile:\u202e.txt"


def hostile() -> Report:
    facts = made_runs.yolov5(data=replace(made_runs.data(), path=f"x/{HOSTILE}"), settings=made_runs.settings(model=HOSTILE, hyp=HOSTILE))
    return build("compute", facts, [Finding("DET120", "column-count", "error", HOSTILE, Where(HOSTILE, 1, 2), HOSTILE)])


@pytest.mark.parametrize("name", formats.MODULES)
def test_foreign_text_is_shown_and_never_acts(name: str) -> None:
    text = formats.load(name).render(hostile(), Look(100))
    assert "\x1b" not in text
    assert "\u202e" not in text
    if name == "markdown":  # a mention, a link or an emoji would act there
        assert ":smile:" not in text
        text = html.unescape(text)
    assert "[/red][bold]" in text
    assert ":smile:" in text


def test_foreign_text_with_colours() -> None:
    assert "\x1b[2J" not in rich_format.render(hostile(), Look(100, "truecolor"))


def test_colours_only_where_asked_for() -> None:
    report = build("compute", made_runs.yolov5(), [])
    assert "\x1b[" in rich_format.render(report, Look(80, "standard"))
    assert "\x1b" not in rich_format.render(report, Look(80))
    assert rich_format.render(report, Look(80)) == text_format.render(report, Look(80))


def test_environment_has_no_say_below_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    report = build("compute", made_runs.yolov5(), [])
    before = rich_format.render(report, Look(80, "standard"))
    for name, value in (("NO_COLOR", "1"), ("COLUMNS", "20"), ("FORCE_COLOR", "1"), ("TERM", "dumb")):
        monkeypatch.setenv(name, value)
    assert rich_format.render(report, Look(80, "standard")) == before


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "no-such-encoding"])
def test_any_encoding_can_hold_it(encoding: str) -> None:
    facts, findings = made_inspections.label_run()
    classes = tuple(replace(one, name="野菜") for one in facts.labels.classes) if facts.labels else ()
    facts = replace(facts, labels=replace(facts.labels, classes=classes))  # type: ignore[type-var]
    text = text_format.render(build(facts.command, facts, findings), Look(80, None, encoding))
    assert text.isascii()
    assert "\\u91ce\\u83dc" in text
    assert "####" in text


def test_long_paths_are_whole() -> None:
    path = "labels/" + "x" * 300 + ".txt"
    report = build(
        "inspect labels", made_inspections.label_run()[0], [Finding("DET120", "column-count", "error", "6 columns", Where(path, 3, 1))]
    )
    assert f"  {path}:3:1  6 columns\n" in formats.load("text").render(report, Look(40))
    assert f"  {path}:3:1\n    6 columns\n" in formats.load("rich").render(report, Look(40))


def test_words_on_a_terminal_stand_below_a_place_that_leaves_no_room() -> None:
    words = " ".join(["word"] * 30)
    report = build("inspect labels", None, [Finding("DET120", "column-count", "error", words, Where("a.txt", 3, 1), "do it")])
    lines = formats.load("rich").render(report, Look(40)).splitlines()
    assert lines[2] == "  a.txt:3:1"
    assert " ".join(line.strip() for line in lines[3:-3]) == words
    assert all(len(line) <= 40 for line in lines)
    assert lines[-3] == "  -> do it"


def test_one_message_of_many_places_is_said_once() -> None:
    own = [Finding("DET120", "column-count", "error", "6 columns", Where("a.txt", line, 1), "do it") for line in range(1, 14)]
    text = formats.load("rich").render(build("inspect labels", None, own, max_findings=12), Look(80))
    assert text.count("6 columns") == text.count("do it") == 1
    assert text.splitlines()[1:4] == ["error DET120 column-count  13", "  6 columns", "  a.txt:1:1"]
    assert "  and 3 more: --format text lists them" in text
    assert formats.load("text").render(build("inspect labels", None, own, max_findings=12), Look(80)).count("6 columns") == 12


def test_of_two_rules_that_are_as_bad_the_more_frequent_one_comes_first() -> None:
    rare = Finding("DET120", "column-count", "error", "6 columns", Where("a.txt", 1, 1))
    often = [Finding("DET132", "class-out-of-range", "error", "9", Where("b.txt", line, 1)) for line in (1, 2)]
    info = [Finding("DET155", "box-covers-image", "info", "all", Where("c.txt", line, 1)) for line in (1, 2, 3)]
    text = formats.load("text").render(build("inspect labels", None, [*info, rare, *often]), Look(80))
    assert [line.split()[2] for line in text.splitlines() if " DET1" in line] == ["class-out-of-range", "column-count", "box-covers-image"]


def test_nothing_measured_still_prints() -> None:
    for name in formats.MODULES:
        formats.load(name).render(build("compute", Facts("compute"), []), Look(80))
        formats.load(name).render(build(None, None, []), Look(80))


def test_no_boxes_at_all() -> None:
    nothing = made_runs.assignment(0, 0, per_box_max=0, best_possible_recall=None, anchors_per_target=None)
    levels = tuple(
        replace(one, positives=0, boxes_matched=0, matches_per_anchor=(0, 0, 0), positives_per_anchor=(0, 0, 0), weight_per_positive=None)
        for one in made_runs.yolov5().levels or ()
    )
    rows = [(name, level, 0.0, 1.0, 0) for level in ("P3", "P4", "P5") for name in ("box", "obj", "cls")]
    empty = made_runs.labels(images=0, labelled=0, background=0, missing=0, rows=0, boxes=0, kept=0, classes=(), sizes={})
    facts = made_runs.yolov5(levels=levels, assignment=nothing, labels=empty, loss=made_runs.loss(rows, {}))
    text = text_format.render(build("compute", facts, []), Look(80))
    assert "targets  none: there are no boxes" in text
    assert text.count("\n!") == text.count("\n! no images and no label files were found ") == 1
    assert "nan" not in text
    background = replace(facts, labels=replace(empty, images=3, background=3))
    assert "no box gets a positive" in text_format.render(build("compute", background, []), Look(80))


def test_a_term_that_is_no_number_stands_out() -> None:
    text = text_format.render(build("compute", made_runs.centernet(), []), Look(80))
    assert "! offset is nan" in text
    assert rich_format.render(build("compute", made_runs.centernet(), []), Look(80, "standard")).count("\x1b[1;31mnan") >= 1
    assert math.isnan(made_runs.centernet().loss.totals["total"])  # type: ignore[union-attr]


def test_terms_keep_the_familys_names() -> None:
    heads = text_format.render(build("compute", made_runs.keras_yolo3(), []), Look(140))
    assert [word for word in ("xy", "wh", "conf", "cls") if f" {word} " in heads] == ["xy", "wh", "conf", "cls"]
    assert " obj " not in heads


def test_quiet_when_nothing_stands_out() -> None:
    facts = made_runs.yolov5(assignment=made_runs.assignment(98_273, 8062), labels=made_runs.labels(missing=0))
    assert facts.labels is not None
    one = replace(facts.labels, classes=facts.labels.classes[:1])
    facts = replace(facts, labels=one, levels=tuple(replace(level, weight_per_positive=1.0) for level in facts.levels or ()))
    lines = text_format.render(build("compute", facts, []), Look(80)).splitlines()
    assert [line for line in lines if line.startswith(("!", "  nothing"))] == ["  nothing stands out"]


def test_what_is_uneven_stands_out_last_with_the_command_that_shows_more() -> None:
    facts = made_runs.yolov5(assignment=made_runs.assignment(98_273, 8062), labels=made_runs.labels(missing=0))
    for command, more in (("compute", True), ("inspect targets --by class", False)):
        lines = [line for line in text_format.render(build(command, facts, []), Look(80)).splitlines() if line.startswith("!")]
        assert lines == [
            "! pepperFlower has 59 boxes, greenPepper 3,366 (57x)" + "  inspect targets --by class" * more,
            "! one positive of P5 weighs 2.2x one of P3" + "explain level-weight".rjust(38),
        ]


def test_a_long_message_leaves_room_for_its_command() -> None:
    long = Finding("DET299", "no-rule-has-this", "warning", "no box of " + ", ".join(f"class {n}" for n in range(30)))
    lines = text_format.render(build("check", made_runs.yolov5(labels=made_runs.labels(missing=0)), [long]), Look(80)).splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("! no box"))
    assert lines[first].endswith("  inspect labels")
    assert lines[first + 1].startswith("  5, class 6,")
    assert lines[first + 1].endswith("…")
    assert lines[first + 2].startswith("! pepperFlower")
    assert max(map(len, lines[first : first + 2])) <= 80


def test_words_that_begin_with_capitals_keep_them() -> None:
    one = [Finding("DET140", "pixel-coordinates", "error", "words", Where("a.txt", n)) for n in (1, 2)]
    facts = made_runs.yolov5(labels=made_runs.labels(missing=0))
    assert "! 2x coordinates are pixels" in text_format.render(build("check", facts, one), Look(80))
    two = [Finding("DET700", "rule", "warning", "CUDA is not there", None)] * 2
    assert "! 2x CUDA is not there" in text_format.render(build("check", facts, two), Look(80))


def test_nothing_found_is_said_once_and_leads_to_what_was_looked_for() -> None:
    nothing = Finding("DET407", "nothing-to-compute", "error", "no picture and no label file was found in /data", None)
    facts = made_runs.yolov5(labels=replace(made_runs.labels(missing=0), images=0), loss=None)
    lines = text_format.render(build("compute", facts, [nothing]), Look(80)).splitlines()
    told = "! no images and no label files were found"
    assert next(line for line in lines if line.startswith("!")) == told + "inspect labels".rjust(80 - len(told))


def test_markdown_has_no_columns_to_fill() -> None:
    facts = made_runs.yolov5(labels=made_runs.labels(missing=3))
    lines = markdown_format.render(build("compute", facts, []), Look(80)).splitlines()
    assert "- 3 images have no label file → detloss inspect labels" in lines
    assert not [line for line in lines if "  " in line]


def test_a_message_without_room_gives_way_to_what_its_rule_says() -> None:
    words = "competes for the same cell and anchor of P4 with a box of another class at line 1"
    one = Finding("DET402", "slot-collision", "warning", words, Where(f"{made_runs.ROOT}/a.txt", 3))
    facts = made_runs.yolov5(labels=made_runs.labels(missing=0))
    for width, shown in ((80, "! two boxes compete for the same cell and anchor"), (120, f"! {words}")):
        lines = text_format.render(build("check", facts, [one]), Look(width)).splitlines()
        line = next(line for line in lines if "compet" in line)
        assert line == shown + "inspect targets".rjust(width - len(shown))


def test_boxes_that_make_the_loss_infinite_are_told_without_a_loss_too() -> None:
    facts = made_runs.yolov5(loss=None)
    assert facts.boxes is None or not facts.boxes.infinite
    row = np.zeros(1, dtype=np.int32)
    boxes = BoxFacts(("a.txt",), row, row, row, row, row[:, None], row, ("",), ("",), infinite={0: "83.2x0 px"})  # type: ignore[arg-type]
    told = "! 1 box makes the loss infinite"
    lines = text_format.render(build("check", replace(facts, boxes=boxes), []), Look(80)).splitlines()
    assert next(line for line in lines if line.startswith("!")) == told + "inspect targets".rjust(80 - len(told))


@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("DET120", "inspect labels"),
        ("DET330", "inspect labels"),
        ("DET363", "inspect hyp"),
        ("DET373", "inspect anchors"),
        ("DET402", "inspect targets"),
        ("DET453", "inspect anchors"),
        ("DET461", "explain DET461"),
        ("DET606", "explain DET606"),
    ],
)
def test_a_finding_leads_to_a_command_that_has_it(code: str, more: str) -> None:
    assert more_of(code) == more


def test_at_most_three_verdicts() -> None:
    loss = made_runs.loss([("box", "P3", math.nan, 1.0, 3), ("obj", "P3", math.inf, 1.0, 3), ("cls", "P3", math.nan, 1.0, 3)], {})
    facts = made_runs.yolov5(loss=loss, labels=made_runs.labels(lost={"column-count": 4}))
    assert text_format.render(build("compute", facts, []), Look(80)).count("\n! ") == 3


def test_compute_says_one_finding_whole_and_counts_many() -> None:
    many = [Finding("DET402", "slot-collision", "warning", "words", Where(f"{made_runs.ROOT}/a.txt", i)) for i in range(1, 4)]
    one = Finding("DET357", "hyp-key-unknown", "warning", "nobody reads 'anchr_t'", Where("hyp.yaml", 3, 1), "did you mean anchor_t")
    worst = Finding("DET363", "hyp-negative", "error", "box is -1", None, None)
    lines = text_format.render(build("compute", made_runs.yolov5(), [*many, one, worst]), Look(80)).splitlines()[-3:]
    assert lines[0] == "error DET363 hyp-negative  box is -1"
    assert lines[1] == "warning DET402 slot-collision  3                                 inspect targets"
    assert lines[2] == "warning DET357 hyp-key-unknown  hyp.yaml:3:1  nobody reads 'anchr_t'  -> did you mean anchor_t"
