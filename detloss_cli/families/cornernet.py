"""CornerNet: a box is its two corners. Heat maps, offsets and a tag a corner that tells which two belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from detloss_cli.errors import DetlossError
from detloss_cli.families.hyp import hyp_field
from detloss_cli.families.interface import BatchTargets, Gain, GainStep, Reason
from detloss_cli.inputs.head import Channels, Head
from detloss_cli.targets.annotations import index_in_image
from detloss_cli.targets.assignment import Assignment, Frame, Targets
from detloss_cli.targets.corners import (
    BEYOND_TAGS,
    DRAWN,
    OFF_MAP,
    UNKNOWN_CLASS,
    ZERO_SIZE,
    Rules,
    assign_corners,
    corner_fates,
    loaded_boxes,
)

if TYPE_CHECKING:
    from torch import Tensor

    from detloss_cli.families.cornernet_stack import CornerNetStack
    from detloss_cli.losses.term import LossBreakdown, Term
    from detloss_cli.predictions.interface import Predictions

ID = "cornernet"
TITLE = "CornerNet: objects as paired corners"
SOURCE = "princeton-vl/CornerNet@e5c39a3"
LICENCE = "BSD-3-Clause"
NEEDS_PREDICTIONS = False
FRAME: Frame = "xyxy_px"
IMGSZ = 512
MODEL = "cornernet"
HYP = "cornernet"
LOADER = "strict"
TERMS = ("heatmap", "pull", "push", "offset")
HEAT_MAPS = True


@dataclass(frozen=True, slots=True)
class Hyp:
    """Keys of the trainer's configuration that the loss and its targets read."""

    pull_weight: float = hyp_field(0.1, None, None, "gain of the pull term: the two tags of a box")
    push_weight: float = hyp_field(0.1, None, None, "gain of the push term: tags of unlike boxes of an image")
    regr_weight: float = hyp_field(1.0, None, None, "gain of the corner offsets")
    gaussian_iou: float = hyp_field(0.3, None, None, "overlap that corners within the radius still give")
    max_tag_len: int = hyp_field(128, None, None, "boxes of an image that have room; one more ends the training with IndexError")


@dataclass(frozen=True, slots=True)
class Profile:
    """clip: boxes are clipped to the picture first, as the trainer's loader does; without it the target code stands alone."""

    clip: bool


PROFILES: Mapping[str, Profile] = {"unclipped": Profile(False), "e5c39a3": Profile(True)}


def channels(head: Head) -> Channels:
    """Tag, offset x, offset y, then one heat map a class."""
    from detloss_cli.families import cornernet_heads as heads

    return heads.channels(head)


def gain_ledger(hyp: Hyp, head: Head, profile: str) -> tuple[Gain, ...]:
    """The weights, divided by the number of stacks; the heat maps have no weight of their own."""
    stacks = _stacks(head)
    mean = (GainStep(f"1/{stacks} stacks", 1 / stacks, "loss"),)
    return (
        Gain("heatmap", "", 1.0, mean),
        Gain("pull", "pull_weight", hyp.pull_weight, mean),
        Gain("push", "push_weight", hyp.push_weight, mean),
        Gain("offset", "regr_weight", hyp.regr_weight, mean),
    )


def scaled(hyp: Hyp, head: Head, profile: str) -> Hyp:
    """The hyp itself: the trainer scales nothing."""
    return hyp


def prior(head: Head, hyp: Hyp, profile: str) -> tuple[Tensor, ...]:
    """Heat maps -2.19, a probability of 0.1; the rest 0."""
    from detloss_cli.families import cornernet_heads as heads

    return heads.prior(head)


def base_rate(head: Head, hyp: Hyp, profile: str, batches: Sequence[BatchTargets]) -> tuple[Tensor, ...]:
    """Constant heat a class and constant offset, each the minimum of its term; the value of a constant tag makes no difference."""
    from detloss_cli.families import cornernet_heads as heads

    return heads.base_rate(head, _rules(head, hyp, profile), batches)


def perfect(head: Head, hyp: Hyp, profile: str, targets: Targets, assignment: Assignment) -> Predictions:
    """The head that is certain of every corner and of nothing else; a box's tag is its number within the image."""
    from detloss_cli.families import cornernet_heads as heads

    return heads.perfect(head, _rules(head, hyp, profile), targets, assignment)


def assign(head: Head, hyp: Hyp, targets: Targets, predictions: Predictions | None = None, *, profile: str) -> Assignment:
    """Every box takes the cells of its two corners.

    Raises:
        DetlossError: the head has no map for each corner.
    """
    _stacks(head)
    return assign_corners(targets, head.levels, _rules(head, hyp, profile))


def refused(head: Head, hyp: Hyp, targets: Targets, *, profile: str) -> dict[int, Reason]:
    """Boxes over which the trainer stops."""
    return {gt: why for gt, why in _all_reasons(head, hyp, targets, profile).items() if why.key != "zero_size"}


def loss(
    head: Head, hyp: Hyp, targets: Targets, predictions: Predictions, assignment: Assignment, *, profile: str, state: object = None
) -> LossBreakdown:
    """heatmap + pull_weight pull + push_weight push + regr_weight offset, summed over both corners, the mean over stacks.

    Pull and push are one number a stack: they stand at its upper left map.
    """
    import torch

    from detloss_cli.families import cornernet_heads as heads
    from detloss_cli.families.heat_maps import heat_term
    from detloss_cli.losses import associative
    from detloss_cli.losses.masked_l1 import divisor, masked_l1
    from detloss_cli.losses.term import LossBreakdown, Term

    gains = {gain.term: gain.used for gain in gain_ledger(hyp, head, profile)}
    rules, layout = _rules(head, hyp, profile), channels(head)
    terms: list[Term] = []
    maps, tags = [], []
    for index in range(len(head.levels)):
        want = heads.wanted(head, index, rules, targets, assignment)
        out = predictions.at(index, want.image, torch.zeros_like(want.image), want.row, want.col)
        heat = heat_term(predictions, index, layout.cls, want.heat, (want.image, want.row, want.col), want.cls, out)
        offset = masked_l1(out[:, 1:3], want.offset.to(out.dtype), "sl1")
        boxes = len(want.cls)
        tags.append(out[:, 0])
        terms.append(Term("heatmap", index, heat.raw, gains["heatmap"], heat.centres, heat.per_positive, heat.scale))
        share = 1 / divisor(boxes, "sl1")
        terms.append(Term("offset", index, offset.sum() / divisor(boxes, "sl1"), gains["offset"], boxes, offset.sum(1), share))
        if index % 2:
            pulled = associative.pull(tags[-2], tags[-1], want.image, targets.images)
            pushed = associative.push(tags[-2], tags[-1], want.image, index_in_image(want.image), targets.images)
            terms.append(Term("pull", index - 1, pulled.sum(), gains["pull"], boxes, pulled))
            terms.append(Term("push", index - 1, pushed.sum(), gains["push"], boxes, pushed))
        maps.append({"centres": heat.centres, "near_cells": heat.near, "near_weight": heat.near_weight})
    return LossBreakdown(tuple(terms), extra={"maps": maps})


def stacked(head: Head, hyp: Hyp, profile: str) -> CornerNetStack | None:
    """The loss of many batches at once; none where the maps are not all of one size."""
    from detloss_cli.families.cornernet_stack import CornerNetStack

    if len({(level.rows, level.cols) for level in head.levels}) != 1:
        return None
    _stacks(head)
    gains = {gain.term: gain.used for gain in gain_ledger(hyp, head, profile)}
    return CornerNetStack(head, _rules(head, hyp, profile), gains)


def reasons(head: Head, hyp: Hyp, targets: Targets, assignment: Assignment, *, profile: str) -> dict[int, Reason]:
    """For each box without rows: without size after clipping, beyond the room for tags, off the map, or of a class that the head lacks."""
    return _all_reasons(head, hyp, targets, profile)


def _all_reasons(head: Head, hyp: Hyp, targets: Targets, profile: str) -> dict[int, Reason]:
    rules, grid = _rules(head, hyp, profile), head.levels[0]
    corners = loaded_boxes(targets.boxes, rules).tolist()
    last = head.num_classes - 1
    text = {
        ZERO_SIZE: lambda gt: Reason("zero_size", f"zero size after clipping to the picture: {_size(corners[gt])} px"),
        UNKNOWN_CLASS: lambda gt: Reason("class", f"class {int(targets.cls[gt])} is not in 0..{last}: the trainer stops with KeyError"),
        BEYOND_TAGS: lambda gt: Reason("max_objs", f"beyond max_tag_len {rules.most}: the trainer stops with IndexError"),
        OFF_MAP: lambda gt: Reason(
            "off_map", f"corners {_places(corners[gt])} px lie off the {grid.cols}x{grid.rows} map: the trainer stops"
        ),
    }
    fate = corner_fates(targets, grid, rules).tolist()
    return {gt: text[why](gt) for gt, why in enumerate(fate) if why != DRAWN}


def _size(box: list[float]) -> str:
    return f"{box[2] - box[0]:g}x{box[3] - box[1]:g}"


def _places(box: list[float]) -> str:
    return ", ".join(f"{value:g}" for value in box)


def _stacks(head: Head) -> int:
    """Half the number of maps.

    Raises:
        DetlossError: the head has no map for each corner.
    """
    if len(head.levels) % 2 or not head.levels:
        count = len(head.levels)
        raise DetlossError(f"cornernet needs a map for each corner, this head has {count}", where="--model", hint="use --model cornernet")
    return len(head.levels) // 2


def _rules(head: Head, hyp: Hyp, profile: str) -> Rules:
    return Rules(head.imgsz, head.num_classes, hyp.gaussian_iou, int(hyp.max_tag_len), PROFILES[profile].clip)
