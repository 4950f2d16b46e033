"""Class weights come of the training set, whichever split is computed."""

from __future__ import annotations

from pathlib import Path

import pytest

from detloss_cli.diagnose.count import hyp_used
from detloss_cli.diagnose.gate import Gate, check
from detloss_cli.diagnose.loss import compute
from detloss_cli.resolve import Request, setup
from detloss_cli.scene import stage

BOX = ".5 .5 .2 .2\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Nine boxes of class 0 to one of class 1 in train, the other way round in val."""
    for split, many in (("train", 0), ("val", 1)):
        (tmp_path / "labels" / split).mkdir(parents=True)
        (tmp_path / "images" / split).mkdir(parents=True)
        for number in range(10):
            cls = many if number else 1 - many
            (tmp_path / "labels" / split / f"{number}.txt").write_text(f"{cls} {BOX}")
            (tmp_path / "images" / split / f"{number}.jpg").touch()
    (tmp_path / "data.yaml").write_text("train: images/train\nval: images/val\nnames: [a, b]\n")
    return tmp_path / "data.yaml"


def asked(data: Path, split: str | None, **more: object) -> Request:
    sets = ("cls_pw=1",)
    return Request(command="compute", data=(str(data),), family="yolov8", sets=sets, split=split, geometry="stretch", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("split", [None, "train", "val", "all", "val,train"])
def test_weights_come_of_the_training_set(split: str | None, data: Path) -> None:
    request = asked(data, split)
    scene = stage(request, setup(request))
    assert hyp_used(request, scene).class_weights == pytest.approx((0.2, 1.8))
    assert not [fault for fault in scene.faults if fault.token == "cls_pw"]
    assert len(scene.labels) == (20 if (split and "," in split) or split == "all" else 10)


@pytest.mark.parametrize(("kept", "weights"), [((0,), (1.0, 1.0)), ((0, 1), (0.2, 1.8))])
def test_classes_that_are_not_trained_do_not_count(kept: tuple[int, ...], weights: tuple[float, ...], data: Path) -> None:
    request = asked(data, "val", classes=kept)
    assert hyp_used(request, stage(request, setup(request))).class_weights == pytest.approx(weights)


def test_without_a_training_set_the_report_says_so(data: Path) -> None:
    data.write_text("val: images/val\nnames: [a, b]\n")
    request = asked(data, "val")
    scene = stage(request, setup(request))
    assert hyp_used(request, scene).class_weights == pytest.approx((1.8, 0.2))
    assert [(fault.kind, fault.token) for fault in scene.faults if fault.token == "cls_pw"] == [("switch-not-modelled", "cls_pw")]
    (said,) = [finding for finding in compute(request)[1] if finding.code == "DET701"]
    assert said.message == (
        "cls_pw means classes weighed by their boxes in the training set; there is no split train, so computed by the boxes that are read"
    )


def test_who_does_not_weigh_reads_nothing_more(data: Path) -> None:
    request = Request(command="compute", data=(str(data),), family="yolov8", split="val", geometry="stretch")
    scene = stage(request, setup(request))
    assert (scene.class_counts, hyp_used(request, scene).class_weights) == ((), None)


def test_check_weighs_as_compute_does(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from detloss_cli.diagnose import gate

    seen = []

    def used(request: Request, scene: object) -> object:
        seen.append(hyp_used(request, scene))  # type: ignore[arg-type]
        return seen[-1]

    monkeypatch.setattr(gate, "hyp_used", used)
    check(asked(data, "val"), Gate())
    assert seen
    assert seen[0].class_weights == pytest.approx((0.2, 1.8))
