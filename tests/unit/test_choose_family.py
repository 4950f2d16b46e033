"""`--family auto`: what it decides, by which rule, and that the screen says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from detloss_cli.cli import main as entry
from detloss_cli.errors import DetlossError
from detloss_cli.inputs.model_yaml import read_model_file
from detloss_cli.resolve import Request, choose_family, setup

ROOT = Path(__file__).resolve().parents[2]
DATA = str(ROOT / "sample_data" / "vegetables" / "data.yaml")
V3 = "giou: 3.54\ncls: 37.4\nobj: 64.3\niou_t: 0.2\ncls_pw: 1.0\nobj_pw: 1.0\nfl_gamma: 0.0\n"
V5 = "box: 0.05\ncls: 0.5\ncls_pw: 1.0\nobj: 1.0\nobj_pw: 1.0\nanchor_t: 4.0\nfl_gamma: 0.0\n"
# text of a hyp -> family, profile, why
BY_KEYS = {
    V5: ("yolov5", None, "default"),
    V5.replace("box", "giou"): ("yolov5", "3.0", "hyp keys giou and anchor_t"),
    V3: ("yolov3-spp", None, "hyp key giou"),
    "box: 7.5\ncls: 0.5\ndfl: 1.5\n": ("yolov8", None, "hyp key dfl"),
    V5 + "loss_ota: 1\n": ("yolov7", None, "hyp key loss_ota"),
    V5 + "loss_ota: 0\n": ("yolov7", None, "hyp key loss_ota"),
}


@pytest.mark.parametrize(("text", "expected"), BY_KEYS.items(), ids=[f"{family}-{why}" for family, _, why in BY_KEYS.values()])
def test_keys_of_the_hyp_decide(text: str, expected: tuple[str, str | None, str], tmp_path: Path) -> None:
    path = tmp_path / "hyp.yaml"
    path.write_text(text)
    chosen = setup(Request(hyp=str(path)))
    family, profile, why = expected
    assert (chosen.family.ID, chosen.origins["family"]) == (family, why)
    assert chosen.profile == (profile or list(chosen.family.PROFILES)[-1])
    assert chosen.origins["profile"] == (why if profile else "latest")


@pytest.mark.parametrize(
    ("family", "model", "words"),
    [
        ("yolov5", "yolo11s", "yolov5 needs a head with anchors, and this one has none"),
        ("yolov7", "yolo26n", "yolov7 needs a head with anchors, and this one has none"),
        ("yolov3-spp", "yolox-s", "yolov3-spp needs a head with anchors, and this one has none"),
        ("keras-yolo3", "fcos", "keras-yolo3 needs a head with anchors, and this one has none"),
        ("retinanet", "yolo11s", "retinanet needs a head with anchors, and this one has none"),
        ("yolov8", "yolov5s", "yolov8 needs a head with distances to the four sides (reg_max), and this one has none"),
        ("yolox", "detr", "yolox needs a head with a grid of cells, and this one has none"),
        ("detr", "yolo11s", "detr needs a head with queries, and this one has none"),
    ],
)
def test_a_head_of_another_kind_is_refused(family: str, model: str, words: str) -> None:
    with pytest.raises(DetlossError) as caught:
        setup(Request(family=family, model=model))
    assert caught.value.message == words
    assert caught.value.where == f"--model {model}"


@pytest.mark.parametrize("family", ["yolov5", "yolov3-spp", "yolov7", "keras-yolo3", "centernet", "cornernet", "yolov8", "detr"])
def test_a_model_goes_before_keys(family: str) -> None:
    from detloss_cli import families

    spec = read_model_file(families.load(family).MODEL).spec
    assert choose_family(Request(), spec, {"loss_ota": 1, "dfl": 1.5, "box": 1}) == (family, None, f"model {spec.name}")


def test_a_yolov5_model_with_the_old_key_is_an_old_release() -> None:
    spec = read_model_file("yolov5s").spec
    assert choose_family(Request(), spec, {"giou": 0.05, "anchor_t": 4})[:2] == ("yolov5", "3.0")
    assert choose_family(Request(), spec, {"giou": 0.05, "box": 0.05, "anchor_t": 4})[:2] == ("yolov5", None)


def test_options_go_before_both() -> None:
    spec = read_model_file("yolov5s").spec
    assert choose_family(Request(family="yolov7"), spec, {"giou": 1}) == ("yolov7", None, "--family")
    assert choose_family(Request(trainer="yolov5-4.0"), spec, {"dfl": 1}) == ("yolov5", "4.0", "--trainer yolov5-4.0")
    with pytest.raises(DetlossError, match=r"did you mean yolov5-4\.0"):
        choose_family(Request(trainer="yolov5-40"), spec, {})


def test_a_profile_that_was_asked_for_stays(tmp_path: Path) -> None:
    path = tmp_path / "hyp.yaml"
    path.write_text(V5.replace("box", "giou"))
    assert setup(Request(hyp=str(path), profile="2.0")).profile == "2.0"


def test_the_screen_says_what_was_decided_and_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "hyp.yaml"
    path.write_text(V3)
    entry.run(["compute", DATA, "--hyp", str(path), "--device", "cpu", "--fail-on", "never"])
    out = capsys.readouterr().out
    assert "yolov3-spp archive" in out.splitlines()[0]
    assert "yolov3-spp: hyp key giou" in " ".join(out.split())


@pytest.mark.parametrize(
    ("switches", "message"),
    [
        ({"family": "centernet", "overrides": {"gr": 0.5}}, "--gr: centernet has no such switch"),
        ({"profile": "4.0", "overrides": {"autobalance": True}}, "--autobalance: yolov5 4.0 has no such switch"),
        ({"profile": "4.0", "overrides": {"label_smoothing": 0.1}}, "--label-smoothing: yolov5 4.0 has no such switch"),
        ({"profile": "5.0", "overrides": {"sort_obj_iou": True}}, "--sort-obj-iou: yolov5 5.0 has no such switch"),
    ],
)
def test_a_switch_that_a_release_lacks_is_refused(switches: dict[str, object], message: str) -> None:
    with pytest.raises(DetlossError, match=message):
        setup(Request(**switches))  # type: ignore[arg-type]


def test_switches_reach_the_hyp_and_the_header() -> None:
    chosen = setup(Request(overrides={"autobalance": True, "gr": 0.5, "label_smoothing": 0.1, "sort_obj_iou": True}))
    hyp = chosen.hyp
    assert (hyp.autobalance, hyp.gr, hyp.label_smoothing, hyp.sort_obj_iou) == (True, 0.5, 0.1, True)
    assert chosen.origins["label_smoothing"] == "--label-smoothing 0.1"


def test_what_the_trainer_overwrites_is_not_taken_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "hyp.yaml"
    path.write_text(V5 + "label_smoothing: 0.2\n")
    assert setup(Request(hyp=str(path))).hyp.label_smoothing == 0.0
    assert setup(Request(hyp=str(path), overrides={"label_smoothing": 0.1})).hyp.label_smoothing == 0.1


def test_a_profile_of_another_family_says_whose_it_is() -> None:
    with pytest.raises(DetlossError) as caught:
        setup(Request(profile="8.3.0"))
    assert caught.value.hint == "with --family yolov8"
