"""CenterNet: a box is its centre. One heat map a class, width, height and the centre's offset at the centre's cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from detloss_cli.families.hyp import hyp_field, switch_field, word_field
from detloss_cli.families.interface import BatchTargets, Gain, GainStep, Reason
from detloss_cli.geometry.gaussian import RadiusForm
from detloss_cli.inputs.head import Channels, Head
from detloss_cli.targets.assignment import Assignment, Frame, Targets
from detloss_cli.targets.centres import BEYOND_MAX_OBJS, DRAWN, UNKNOWN_CLASS, ZERO_SIZE, assign_centres, clipped_boxes, fates, sizes

if TYPE_CHECKING:
    from torch import Tensor

    from detloss_cli.families.centernet_heads import Regression
    from detloss_cli.families.centernet_stack import CenterNetStack
    from detloss_cli.losses.term import LossBreakdown
    from detloss_cli.predictions.interface import Predictions

ID = "centernet"
TITLE = "CenterNet: objects as points, a Gaussian heat map a class"
SOURCE = "xingyizhou/CenterNet@4c50fd3, zzzxxxttt/pytorch_simple_CenterNet_45@236cef1"
LICENCE = "MIT"
NEEDS_PREDICTIONS = False
FRAME: Frame = "xyxy_px"
IMGSZ = 512
MODEL = "centernet"
HYP = "centernet"
LOADER = "strict"
TERMS = ("heatmap", "size", "offset")
HEAT_MAPS = True


@dataclass(frozen=True, slots=True)
class Hyp:
    """Options of the trainer that the loss and its targets read."""

    hm_weight: float = hyp_field(1.0, None, None, "gain of the heat-map term")
    wh_weight: float = hyp_field(0.1, None, None, "gain of the size term, whose targets are in cells and not normalised")
    off_weight: float = hyp_field(1.0, None, None, "gain of the offset term")
    max_objs: int = hyp_field(128, None, None, "annotations of an image that are looked at")
    min_overlap: float = hyp_field(0.7, None, None, "overlap that a centre within the radius still has with the box")
    reg_loss: str = word_field("l1", ("l1", "sl1"), "how size and offset are compared: l1 or smooth l1")
    norm_wh: bool = switch_field("sizes are compared as ratios to the target")
    cat_spec_wh: bool = switch_field("a width and height for each class")


@dataclass(frozen=True, slots=True)
class Profile:
    """One public implementation. form: its radius formula. raises: more objects than `max_objs` end its training with IndexError.
    fixed: gains that stand in its code whatever the options say, by key; its L1 then is no option either."""

    form: RadiusForm
    raises: bool
    fixed: Mapping[str, float] = field(default_factory=dict)


PROFILES: Mapping[str, Profile] = {
    "zzzxxxttt": Profile("zzzxxxttt", True, {"hm_weight": 1.0, "wh_weight": 0.1, "off_weight": 1.0}),
    "xingyizhou": Profile("xingyizhou", False),
}


def channels(head: Head) -> Channels:
    """Width, height, offset x, offset y, then one heat map a class; with `cat_spec_wh` a width and height a class come first."""
    from detloss_cli.families import centernet_heads as heads

    return heads.channels(head.num_classes, False)


def gain_ledger(hyp: Hyp, head: Head, profile: str) -> tuple[Gain, ...]:
    """The three weights, divided by the number of stacks. Where the code fixes them the keys of the hyp are dead."""
    stacks, fixed = len(head.levels), PROFILES[profile].fixed
    mean = (GainStep(f"1/{stacks} stacks", 1 / stacks, "loss"),)
    keys = {"heatmap": "hm_weight", "size": "wh_weight", "offset": "off_weight"}
    return tuple(
        Gain(term, "", fixed[key], mean, f"{key} is dead") if key in fixed else Gain(term, key, getattr(hyp, key), mean)
        for term, key in keys.items()
    )


def scaled(hyp: Hyp, head: Head, profile: str) -> Hyp:
    """The hyp itself: the trainer scales nothing."""
    return hyp


def prior(head: Head, hyp: Hyp, profile: str) -> tuple[Tensor, ...]:
    """Heat maps -2.19, a probability of 0.1; the rest 0."""
    from detloss_cli.families import centernet_heads as heads

    return heads.prior(head, _regression(hyp, profile).by_class)


def base_rate(head: Head, hyp: Hyp, profile: str, batches: Sequence[BatchTargets]) -> tuple[Tensor, ...]:
    """Constant heat a class, constant size and offset: each the minimum of its term."""
    from detloss_cli.families import centernet_heads as heads

    return heads.base_rate(head, _regression(hyp, profile), batches)


def perfect(head: Head, hyp: Hyp, profile: str, targets: Targets, assignment: Assignment) -> Predictions:
    """The head that is certain of every centre and of nothing else; of objects that share a cell the last gives size and offset."""
    from detloss_cli.families import centernet_heads as heads

    return heads.perfect(head, _regression(hyp, profile), targets, assignment)


def assign(head: Head, hyp: Hyp, targets: Targets, predictions: Predictions | None = None, *, profile: str) -> Assignment:
    """Every box takes the cell of its centre, clipped to the map."""
    form = PROFILES[profile].form
    return assign_centres(targets, head.levels, head.num_classes, form=form, min_overlap=hyp.min_overlap, max_objs=int(hyp.max_objs))


def refused(head: Head, hyp: Hyp, targets: Targets, *, profile: str) -> dict[int, Reason]:
    """Boxes over which the trainer stops."""
    stops = {UNKNOWN_CLASS} | ({BEYOND_MAX_OBJS} if PROFILES[profile].raises else set())
    fate = fates(targets, head.levels[0], head.num_classes, int(hyp.max_objs)).tolist()
    return _reasons(head, hyp, targets, {gt: why for gt, why in enumerate(fate) if why in stops}, profile)


def loss(
    head: Head, hyp: Hyp, targets: Targets, predictions: Predictions, assignment: Assignment, *, profile: str, state: object = None
) -> LossBreakdown:
    """hm_weight heatmap + wh_weight size + off_weight offset, the mean over stacks."""
    import torch

    from detloss_cli.families import centernet_heads as heads
    from detloss_cli.families.heat_maps import heat_term
    from detloss_cli.losses.masked_l1 import divisor, masked_l1
    from detloss_cli.losses.term import LossBreakdown, Term

    gains = {gain.term: gain.used for gain in gain_ledger(hyp, head, profile)}
    regression = _regression(hyp, profile)
    layout = heads.channels(head.num_classes, regression.by_class)
    terms, maps = [], []
    for index in range(len(head.levels)):
        wanted = heads.wanted(head, index, targets, assignment)
        out = predictions.at(index, wanted.image, torch.zeros_like(wanted.image), wanted.row, wanted.col)
        heat = heat_term(predictions, index, layout.cls, wanted.heat, (wanted.image, wanted.row, wanted.col), wanted.cls, out)
        size = masked_l1(regression.size_of(out, wanted.cls), wanted.size.to(out.dtype), regression.size)
        offset = masked_l1(out[:, layout.cls.start - 2 : layout.cls.start], wanted.offset.to(out.dtype), regression.offset)
        objects = len(wanted.cls)
        by_size, by_offset = divisor(objects, regression.size), divisor(objects, regression.offset)
        terms += [
            Term("heatmap", index, heat.raw, gains["heatmap"], heat.centres, heat.per_positive, heat.scale),
            Term("size", index, size.sum() / by_size, gains["size"], objects, size.sum(1), 1 / by_size),
            Term("offset", index, offset.sum() / by_offset, gains["offset"], objects, offset.sum(1), 1 / by_offset),
        ]
        maps.append({"centres": heat.centres, "near_cells": heat.near, "near_weight": heat.near_weight})
    return LossBreakdown(tuple(terms), extra={"maps": maps})


def stacked(head: Head, hyp: Hyp, profile: str) -> CenterNetStack | None:
    """The loss of many batches at once; none where the maps are not all of one size."""
    from detloss_cli.families.centernet_stack import CenterNetStack

    if len({(level.stride, level.rows, level.cols) for level in head.levels}) != 1:
        return None
    gains = {gain.term: gain.used for gain in gain_ledger(hyp, head, profile)}
    return CenterNetStack(head, _regression(hyp, profile), gains)


def items(head: Head, hyp: Hyp, breakdown: LossBreakdown, profile: str) -> list[Tensor]:
    """What the trainer prints: each term before its weight, the mean over stacks; 0 where the weight is 0."""
    parts = {name: [term for term in breakdown.terms if term.name == name] for name in TERMS}
    return [sum((term.raw for term in found if term.gain), found[0].raw * 0) / len(found) for found in parts.values()]


def decoded(head: Head, hyp: Hyp, predictions: Predictions, assignment: Assignment, index: int, rows: Tensor, *, profile: str) -> Tensor:
    """The boxes that some rows of a map answer, `xyxy` px. With `cat_spec_wh` the size is that of the surest class."""
    from detloss_cli.families import centernet_answers as answers

    return answers.boxes(head, _regression(hyp, profile), predictions, assignment, index, rows)


def background(
    head: Head, hyp: Hyp, targets: Targets, predictions: Predictions, assignment: Assignment, index: int, *, profile: str
) -> tuple[str, Tensor]:
    """All heat maps at the cells without an object; near one they count less."""
    from detloss_cli.families import centernet_answers as answers

    return "heatmap", answers.background(head, _regression(hyp, profile), targets, predictions, assignment, index)


def reasons(head: Head, hyp: Hyp, targets: Targets, assignment: Assignment, *, profile: str) -> dict[int, Reason]:
    """For each box without a row: beyond `max_objs`, without size after clipping, or of a class that the head lacks."""
    fate = fates(targets, head.levels[0], head.num_classes, int(hyp.max_objs)).tolist()
    return _reasons(head, hyp, targets, {gt: why for gt, why in enumerate(fate) if why != DRAWN}, profile)


def _reasons(head: Head, hyp: Hyp, targets: Targets, fate: Mapping[int, int], profile: str) -> dict[int, Reason]:
    width, height = sizes(clipped_boxes(targets.boxes, head.levels[0])).T.tolist() if len(targets.boxes) else ([], [])
    stop = f": {profile} stops with IndexError" if PROFILES[profile].raises else ""
    last = head.num_classes - 1
    text = {
        BEYOND_MAX_OBJS: lambda gt: Reason("max_objs", f"beyond max_objs {int(hyp.max_objs)}{stop}"),
        ZERO_SIZE: lambda gt: Reason("zero_size", f"zero size after clipping to the output grid: {width[gt]:g}x{height[gt]:g} cells"),
        UNKNOWN_CLASS: lambda gt: Reason("class", f"class {int(targets.cls[gt])} is not in 0..{last}: the trainer stops with KeyError"),
    }
    return {gt: text[why](gt) for gt, why in fate.items()}


def _regression(hyp: Hyp, profile: str) -> Regression:
    from detloss_cli.families import centernet_heads as heads

    if PROFILES[profile].fixed:
        return heads.regression("l1", False, False)
    return heads.regression(hyp.reg_loss, hyp.norm_wh, hyp.cat_spec_wh)
