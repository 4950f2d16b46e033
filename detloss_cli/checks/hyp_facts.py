"""What each trainer does with the keys of a hyp file: which it insists on, which nobody reads, which it overwrites."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from detloss_cli.inputs.train_words import ULTRALYTICS


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SCHEDULE = _words("lr0 lrf momentum weight_decay warmup_epochs warmup_momentum warmup_bias_lr")
AUGMENTATION = _words("hsv_h hsv_s hsv_v degrees translate scale shear perspective flipud fliplr mosaic mixup copy_paste paste_in")


@dataclass(frozen=True, slots=True)
class HypFacts:
    """One family.

    required: the loss reads them without a default. dead: key -> why nobody reads it. overwritten: key -> what overwrites it.
    other: known keys that are not the loss's. typical: gain -> the value that the family's own files give it.
    """

    required: frozenset[str] = frozenset()
    dead: Mapping[str, str] = field(default_factory=dict)
    overwritten: Mapping[str, str] = field(default_factory=dict)
    other: frozenset[str] = frozenset()
    typical: Mapping[str, float] = field(default_factory=dict)


_ANCHOR_LOSS = _words("box cls cls_pw obj obj_pw anchor_t fl_gamma")
_V5_DEAD = {"iou_t": "no yolov5 release since 2.0 reads it; matching goes by anchor_t"}
_V5_CLI = {"label_smoothing": "train.py puts the value of --label-smoothing (0 unless given) in its place"}
_TRAINER = SCHEDULE | AUGMENTATION

FACTS: Mapping[str, HypFacts] = {
    "yolov5": HypFacts(_ANCHOR_LOSS, _V5_DEAD, _V5_CLI, _TRAINER | {"anchors"}, {"box": 0.05, "cls": 0.5, "obj": 1.0}),
    "yolov7": HypFacts(
        _ANCHOR_LOSS,
        {"iou_t": "yolov7 matches by anchor_t"},
        _V5_CLI,
        _TRAINER | {"anchors", "loss_ota"},
        {"box": 0.05, "cls": 0.3, "obj": 0.7},
    ),
    "yolov3-spp": HypFacts(
        _words("giou cls cls_pw obj obj_pw iou_t fl_gamma"), other=_TRAINER, typical={"giou": 3.54, "cls": 37.4, "obj": 64.3}
    ),
    "yolov8": HypFacts(
        dead={"fl_gamma": "the loss of v8 and later has no focal option", "label_smoothing": "the loss of v8 and later does not smooth"},
        other=_TRAINER | ULTRALYTICS | {"cls_pw"},
        typical={"box": 7.5, "cls": 0.5, "dfl": 1.5},
    ),
    "keras-yolo3": HypFacts(),
    "centernet": HypFacts(typical={"hm_weight": 1.0, "wh_weight": 0.1, "off_weight": 1.0}),
    "cornernet": HypFacts(typical={"pull_weight": 0.1, "push_weight": 0.1, "regr_weight": 1.0}),
    "yolox": HypFacts(typical={"reg_weight": 5.0}),
    "fcos": HypFacts(),
    "retinanet": HypFacts(),
    "detr": HypFacts(typical={"loss_ce": 1.0, "loss_bbox": 5.0, "loss_giou": 2.0}),
}
NO_FACTS = HypFacts()


def readers(key: str, besides: str) -> tuple[str, ...]:
    """Families other than one whose loss reads a key."""
    return tuple(family for family, facts in FACTS.items() if family != besides and (key in facts.required or key in facts.typical))


def aliases_of(family: str, profile: str) -> dict[str, str]:
    """Other name in a file -> key. yolov5 renamed `giou` to `box` in 3.1."""
    return {"giou": "box"} if family == "yolov5" and profile in ("1.0", "2.0", "3.0") else {}


_ZZZ = "zzzxxxttt writes 1, 0.1 and 1 into its training loop"
_ZZZ_L1 = "zzzxxxttt has plain L1 only"
# family -> releases -> key -> why nothing reads it there
DEAD_IN: Mapping[str, Mapping[tuple[str, ...], Mapping[str, str]]] = {
    "yolov5": {
        ("1.0", "2.0", "3.0", "3.1", "4.0"): {
            "label_smoothing": "the loss smooths nothing before 5.0",
            "autobalance": "the loss balances nothing by itself before 5.0",
        },
        ("1.0", "2.0", "3.0", "3.1", "4.0", "5.0"): {"sort_obj_iou": "rows are not sorted before 6.0"},
    },
    "centernet": {
        ("zzzxxxttt",): {
            "hm_weight": _ZZZ,
            "wh_weight": _ZZZ,
            "off_weight": _ZZZ,
            "reg_loss": _ZZZ_L1,
            "norm_wh": _ZZZ_L1,
            "cat_spec_wh": _ZZZ_L1,
        }
    },
}


def dead_of(family: str, profile: str) -> dict[str, str]:
    """Key -> why the loss of one release does not read it, though that of another does or once did."""
    dead = dict(FACTS.get(family, NO_FACTS).dead)
    for releases, keys in DEAD_IN.get(family, {}).items():
        dead |= keys if profile in releases else {}
    return dead


Role = Literal["loss", "trainer", "overwritten", "dead", "other family", "unknown"]


def role(key: str, family: str, loss_keys: Collection[str], profile: str = "") -> Role:
    """Who reads a key in one family: its loss, the rest of the trainer, nobody any more, another family, or nobody ever."""
    facts = FACTS.get(family, NO_FACTS)
    if key in dead_of(family, profile):
        return "dead"
    if key in facts.overwritten:
        return "overwritten"
    if key in loss_keys or key in facts.required:
        return "loss"
    if key in facts.other:
        return "trainer"
    return "other family" if readers(key, family) else "unknown"
