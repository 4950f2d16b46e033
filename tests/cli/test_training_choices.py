"""Choices that a training makes beside its hyp, typed or from a run: classes, rectangular batches, anchors."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
from cli_runs import SCHEMA, Command, asked, run_folder


def test_single_class_has_no_class_loss(detloss: Command, home: Path) -> None:
    body = asked(detloss, "compute", "--run", run_folder(home, {"single_cls": True}))
    assert (body["settings"]["num_classes"], body["totals"]["cls"]) == (1, 0)
    assert [one["name"] for one in body["labels"]["classes"]] == ["item"]


def test_classes_leave_the_pictures_as_background(detloss: Command, home: Path) -> None:
    whole = asked(detloss, "compute", "vegetables/data.yaml")
    some = asked(detloss, "compute", "vegetables/data.yaml", "--classes", "3,7")
    kept = [one["boxes"] for one in whole["labels"]["classes"] if one["id"] in (3, 7)]
    assert some["labels"]["images"] == whole["labels"]["images"]
    assert some["labels"]["kept"] == sum(kept)
    assert some["labels"]["lost"]["by_rule"]["class-not-chosen"] == whole["labels"]["kept"] - sum(kept)


def test_another_number_of_classes(detloss: Command, home: Path) -> None:
    body = asked(detloss, "compute", "vegetables/data.yaml", "--nc", "80")
    assert body["settings"]["num_classes"] == 80
    assert next(gain for gain in body["gains"] if gain["term"] == "cls")["used"] == pytest.approx(0.5)


def test_one_class_may_be_said_twice(detloss: Command, home: Path) -> None:
    once, twice = (asked(detloss, "compute", "vegetables/data.yaml", "--single-cls", *more) for more in ((), ("--nc", "1")))
    assert twice == once
    assert once["labels"]["kept"] == once["labels"]["boxes"] > 0


def test_more_classes_than_a_run_of_one_are_refused(detloss: Command, home: Path) -> None:
    code, out, err = detloss("compute", "--run", run_folder(home, {"single_cls": True}), "--nc", "5")
    assert (code, out) == (2, "")
    assert err == "detloss: --nc 5: contradicts single_cls of opt.yaml (leave it out)\n"


def test_rect_of_a_run_is_that_of_the_option(detloss: Command, home: Path) -> None:
    typed = asked(detloss, "compute", "vegetables/data.yaml", "--rect", "--imgsz", "320", "--batch", "4")
    by_run = asked(detloss, "compute", "--run", run_folder(home, {"rect": True, "batch_size": 4}))
    assert len(typed["settings"]["shapes"]) > 1
    assert by_run["settings"]["shapes"] == typed["settings"]["shapes"]
    assert by_run["totals"] == typed["totals"]
    for body in (typed, by_run):
        assert "switch-not-modelled" not in [one["rule"] for one in body["findings"]]
        jsonschema.validate(body, SCHEMA)


def test_rect_is_said_not_to_be_computed_where_the_trainer_has_none(detloss: Command, home: Path) -> None:
    for words in (("vegetables/data.yaml", "--rect"), ("--run", run_folder(home, {"rect": True}))):
        body = asked(detloss, "inspect", "targets", *words, "--family", "retinanet", "--model", "retinanet")
        assert [one["code"] for one in body["findings"] if one["rule"] == "switch-not-modelled"] == ["DET701"]
        assert "shapes" not in body["settings"]


def test_rect_beside_what_contradicts_it_is_one_line(detloss: Command, home: Path) -> None:
    code, out, err = detloss("compute", "vegetables/data.yaml", "--rect", "--geometry", "stretch")
    assert (code, out) == (2, "")
    assert "--geometry stretch: does not go with --rect" in err
    assert len(err.splitlines()) <= 2


@pytest.mark.parametrize(
    ("arguments", "rule", "words"),
    [
        (["--anchors", "auto"], None, "anchors stock: best possible recall 1.0000 is above 0.98"),
        (["--anchors", "refit"], "anchors-fitted-here", "anchors fitted here (--anchors refit)"),
        (["--model", "yolov5-p2"], "anchors-fitted-here", "anchors fitted here (the head has a number for anchors)"),
        (["--anchors", "sample_anchors.yaml"], None, "anchors of sample_anchors.yaml"),
    ],
)
def test_anchors_as_the_trainer_will_have_them(arguments: list[str], rule: str | None, words: str, detloss: Command, home: Path) -> None:
    (home / "sample_anchors.yaml").write_text("nc: 12\nanchors: [[8,8, 16,16], [32,32, 64,64], [128,128, 256,256]]\n")
    body = asked(detloss, "inspect", "targets", "vegetables/data.yaml", *arguments)
    assert body["settings"]["origins"]["anchors"] in words
    told = [one for one in body["findings"] if one["rule"] == "anchors-fitted-here"]
    assert [one["rule"] for one in told] == ([rule] if rule else [])
    assert all("varies from run to run" in one["message"] for one in told)
    assert all(anchors for level in body["levels"] for anchors in level["anchors"])


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["--model", "yolov5-p2", "--noautoanchor"],
            "--anchors stock: the head has a number for anchors, so without AutoAnchor it trains on the",
        ),
        (["--anchors", "auto", "--noautoanchor"], "--anchors auto: contradicts --noautoanchor"),
        (["--anchors", "stok"], "--anchors stok: no such model file"),
        (["--anchors", "refit", "--model", "yolo11n"], "--anchors refit: yolo11n has no anchors"),
        (["--classes", "0,x"], "--classes: '0,x' is no list of class ids"),
        (["--classes", "99"], "--classes: no class 99"),
        (["--single-cls", "--nc", "5"], "--nc 5: contradicts --single-cls (give one of them)"),
    ],
)
def test_choices_that_cannot_be(arguments: list[str], line: str, detloss: Command) -> None:
    code, _, err = detloss("compute", "vegetables/data.yaml", *arguments)
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith(f"detloss: {line}")
