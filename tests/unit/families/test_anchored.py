from __future__ import annotations

import pytest

from detloss_cli import families
from detloss_cli.errors import DetlossError
from detloss_cli.families import anchored
from detloss_cli.families.hyp import hyp_keys
from detloss_cli.inputs.heads import BUILT_IN


@pytest.mark.parametrize("name", anchored.ANCHORED)
def test_settings_are_those_of_the_family(name):
    short, family = anchored.load(name), families.load(name)
    for key in ("ID", "MODEL", "HYP", "LOADER", "IMGSZ"):
        assert getattr(short, key) == getattr(family, key)
    assert list(short.PROFILES) == list(family.PROFILES)
    assert short.counted <= set(family.PROFILES)
    assert getattr(family, "COARSE_FIRST", False) == short.COARSE_FIRST
    assert not hasattr(family, "DIVISOR")
    assert not hasattr(family, "LETTERBOX")
    keys = {key.name: key for key in hyp_keys(family.Hyp)}
    for key in hyp_keys(short.Hyp):
        assert (key.default, key.low, key.high) == (keys[key.name].default, keys[key.name].low, keys[key.name].high)
    assert [key.name for key in hyp_keys(short.Hyp)] == ([short.key] if short.key else [])


def test_neighbours_by_release():
    v5 = families.load("yolov5")
    rules = {name: profile.mirror for name, profile in v5.PROFILES.items()}
    assert {name: anchored.ANCHORED["yolov5"].mirrors.get(name, "complement") for name in rules} == rules


def test_every_family_with_anchors_of_its_own_is_here_or_says_why():
    with_anchors = {spec.family for spec in BUILT_IN.values() if spec.anchors and any(spec.anchors)} - {None}
    assert with_anchors - set(anchored.ANCHORED) == {"retinanet"}
    with pytest.raises(DetlossError, match="formula"):
        anchored.load("retinanet")


@pytest.mark.parametrize(("name", "message"), [("yolov8", "yolov8 has no anchors"), ("yolo5", "unknown family 'yolo5'")])
def test_other_families(name, message):
    with pytest.raises(DetlossError, match=message):
        anchored.load(name)
