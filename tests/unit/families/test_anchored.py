from __future__ import annotations

import pytest

from detloss_cli import families
from detloss_cli.errors import DetlossError
from detloss_cli.families.anchored import ANCHORED, anchored
from detloss_cli.families.hyp import hyp_keys
from detloss_cli.inputs.heads import BUILT_IN


@pytest.mark.parametrize("name", ANCHORED)
def test_keys_and_profiles_are_those_of_the_family(name):
    short, family = anchored(name), families.load(name)
    assert short.uncounted <= set(family.PROFILES)
    assert (short.key in {key.name for key in hyp_keys(family.Hyp)}) == (short.test != "best")


def test_what_bids_is_not_counted():
    profiles = families.load("yolov7").PROFILES
    assert ANCHORED["yolov7"].uncounted == {name for name, profile in profiles.items() if profile.ota}


def test_every_family_with_anchors_of_its_own_is_here_or_says_why():
    with_anchors = {spec.family for spec in BUILT_IN.values() if spec.anchors and any(spec.anchors)} - {None}
    assert with_anchors - set(ANCHORED) == {"retinanet"}
    with pytest.raises(DetlossError, match="formula"):
        anchored("retinanet")


@pytest.mark.parametrize(("name", "message"), [("yolov8", "yolov8 has no anchors"), ("yolo5", "unknown family 'yolo5'")])
def test_other_families(name, message):
    with pytest.raises(DetlossError, match=message):
        anchored(name)
