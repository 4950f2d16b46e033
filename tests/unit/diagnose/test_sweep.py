"""Sweeps: what the words mean, what is read, and that each point is what the command alone would say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from detloss_cli import reading
from detloss_cli.cli.sweeps import axes, sweep
from detloss_cli.diagnose.loss import compute, inspect_targets
from detloss_cli.errors import DetlossError
from detloss_cli.facts.sweep import SweepFacts
from detloss_cli.resolve import Request

SAMPLE = str(Path(__file__).parents[3] / "sample_data" / "vegetables" / "data.yaml")


@pytest.mark.parametrize(
    ("text", "key", "values"),
    [
        ("imgsz=320:1280:320", "imgsz", ("320", "640", "960", "1280")),
        ("imgsz=320:1000:320", "imgsz", ("320", "640", "960")),
        ("anchor_t=2:3:0.5", "anchor_t", ("2", "2.5", "3")),
        ("fl_gamma=0:0.3:0.1", "fl_gamma", ("0", "0.1", "0.2", "0.3")),
        ("anchor_t=4:4:1", "anchor_t", ("4",)),
        ("model=yolov5s, yolov5m,yolov5s", "model", ("yolov5s", "yolov5m")),
        ("--img=320,640", "imgsz", ("320", "640")),
        ("cfg=a.yaml", "model", ("a.yaml",)),
    ],
)
def test_words(text: str, key: str, values: tuple[str, ...]) -> None:
    assert axes([text]) == [(key, values)]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["imgsz"], "a key and its values"),
        (["=3"], "a key and its values"),
        (["imgsz="], "there is no value"),
        (["imgsz=320,"], "a value is empty"),
        (["imgsz=640:320:32"], "range is empty"),
        (["imgsz=320:640:0"], "range is empty"),
        (["imgsz=320:640:-1"], "range is empty"),
        (["imgsz=320:640"], "first:last:step"),
        (["imgsz=1:1000:1"], "1,000 values, 100 at most"),
        (["imgsz=1:1e30:1e-9"], "100 at most"),
        (["imgsz=1,2", "img=3"], "stands twice"),
        (["a=1", "b=1", "c=1"], "3 keys"),
    ],
)
def test_words_that_mean_nothing(words: list[str], message: str) -> None:
    with pytest.raises(DetlossError, match=message):
        axes(words)


def swept(command: str, *words: str, **options: Any) -> SweepFacts:
    given: Mapping[str, Any] = {"data": (SAMPLE,), "split": "val", "overrides": {}, **options}
    work = {"compute": compute, "inspect targets": inspect_targets}[command]
    facts, _ = sweep(command, given, Request(command, **given), axes(words), work)
    assert facts.sweep is not None
    return facts.sweep


def test_each_point_is_what_the_command_alone_says() -> None:
    found = swept("inspect targets", "imgsz=160:640:160")
    assert [point.values for point in found.points] == [("160",), ("320",), ("480",), ("640",)]
    assert [point.present for point in found.points] == [False, False, False, True]
    for point in found.points:
        side = int(point.values[0])
        alone = inspect_targets(Request("inspect targets", (SAMPLE,), split="val", imgsz=(side, side)))[0]
        assert alone.assignment is not None
        assert (point.unassigned, point.positives) == (alone.assignment.unassigned, alone.assignment.positives)
        assert point.levels == {level.level: level.positives for level in alone.levels or ()}
        assert point.by_reason == alone.assignment.by_reason
    assert found.points[0].share == pytest.approx((found.points[0].unassigned or 0) / 86)
    assert found.points[0].unassigned


def test_keys_of_the_hyp_reach_loss_and_targets() -> None:
    found = swept("compute", "anchor_t=2,4", "box=.05,.1")
    by_values = {point.values: point for point in found.points}
    low, high = by_values["4", ".05"].totals, by_values["4", ".1"].totals
    assert low is not None
    assert high is not None
    assert high["box"] == pytest.approx(2 * low["box"])
    assert high["obj"] == low["obj"]
    assert (by_values["2", ".05"].positives or 0) < (by_values["4", ".05"].positives or 0)
    assert [point.values for point in found.points if point.present] == [("4", ".05")]


def test_the_present_setting_joins_in_its_place() -> None:
    assert [(point.values, point.present) for point in swept("inspect targets", "imgsz=320,960").points] == [
        (("320",), False),
        (("640",), True),
        (("960",), False),
    ]
    models = swept("inspect targets", "model=yolov5s6,yolov3-spp")
    assert [(point.values[0], point.present) for point in models.points] == [("yolov5s", True), ("yolov5s6", False), ("yolov3-spp", False)]
    trainers = swept("inspect targets", "trainer=yolov5-6.1,yolov7", trainer="yolov5-5.0")
    assert (trainers.points[0].values[0], trainers.points[0].present) == ("yolov5-5.0", True)


def test_labels_are_read_once_a_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    loaders: list[str] = []
    real = reading.read_dataset

    def counted(spec: Any, splits: Any, loader: str, **options: Any) -> Any:
        loaders.append(loader)
        return real(spec, splits, loader, **options)

    monkeypatch.setattr(reading, "read_dataset", counted)
    swept("inspect targets", "imgsz=320:960:320")
    assert loaders == ["yolov5-7.0"]
    loaders.clear()
    swept("inspect targets", "imgsz=320,640", "loader=yolov5-7.0,yolov5-6.1,strict")
    assert sorted(loaders) == ["strict", "yolov5-6.1", "yolov5-7.0"]


def test_what_cannot_be_computed_is_said_at_its_point() -> None:
    found = swept("inspect targets", "trainer=yolov5-7.0,ultralytics-8.4", "anchor_t=3,4")
    wrong = {point.values: point.error for point in found.points if point.error is not None}
    assert set(wrong) == {("ultralytics-8.4", "3"), ("ultralytics-8.4", "4")}
    assert all("has no such switch" in str(error) for error in wrong.values())


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("anchor_q=1", "has no such key"),
        ("iou_t=.1", "has no effect"),
        ("anchor_t=x", "is not a number"),
        ("anchor_t=nan", "is not a number"),
        ("sort_obj_iou=1", "holds words"),
        ("model=yolov5s,yolov5q", "no such model file"),
        ("loader=strct", "is not known"),
        ("imgsz=0", "is no input size"),
    ],
)
def test_values_that_mean_nothing(word: str, message: str) -> None:
    with pytest.raises(DetlossError, match=message):
        swept("inspect targets", word)


def test_whole_numbers_stay_whole() -> None:
    with pytest.raises(DetlossError, match="not a whole number"):
        swept("inspect targets", "topk=1.5", family="yolov8")


def test_nothing_at_all() -> None:
    from detloss_cli.diagnose.sweep import swept as run_sweep

    base = Request("inspect targets", (SAMPLE,), split="val")
    facts = inspect_targets(base)[0]

    def fails(request: Request) -> Any:
        raise DetlossError("no")

    with pytest.raises(DetlossError, match="nothing to show: no"):
        run_sweep([("imgsz", ("320",))], base, facts, lambda values: replace(base, imgsz=(320, 320)) if values else base, fails)
