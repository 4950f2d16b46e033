"""Rules about anchors: what they reach, their order and their unit."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from detloss_cli.checks.facts_rule import FactsRule, Hit, facts_rule
from detloss_cli.facts import Facts
from detloss_cli.facts.anchors import AnchorFacts, AnchorSet

RECALL = 0.98  # below it yolov5 and yolov7 fit other anchors
STARVING = 0.01  # share of the matches
FEED = "anchors fitted to the data, a head without this level, or another --imgsz"
OTHER_UNIT = 0.05  # that the recall has to gain by another unit before the present one is doubted


def anchor_recall(facts: Facts) -> Iterator[Hit]:
    """The anchors leave out many boxes: best possible recall is 0.98 or less.

    Best possible recall is the share of the boxes that at least one anchor takes. yolov5 and yolov7 fit other anchors before the first
    epoch when it is 0.98 or less (AutoAnchor), unless they are told not to: then what is trained is not what the model file says. Other
    trainers go on with these.
    """
    anchors, present = _present(facts)
    if anchors is None or present is None or present.best_possible_recall is None or present.best_possible_recall > RECALL:
        return
    if _unit(anchors):
        return
    missed = round(anchors.boxes * (1 - present.best_possible_recall))
    what = "the trainer fits other anchors before the first epoch" if anchors.refits else "these boxes train nothing"
    message = f"no anchor takes {missed} of {anchors.boxes} boxes (best possible recall {present.best_possible_recall:.4f}): {what}"
    yield Hit(message, "inspect anchors --refit shows better ones", anchors.path, anchors.line, missed, 1 - present.best_possible_recall)


def anchor_recall_scaled(facts: Facts) -> Iterator[Hit]:
    """The anchors take the boxes as they are, but not as the scale augmentation makes them.

    The hyp's `scale` s shrinks and enlarges pictures by 1 - s to 1 + s. The message names the worst factor; boxes that the trainer itself
    drops there, with a side of 2 px or less, are not counted. AutoAnchor does not look at it.
    """
    anchors, used = _used(facts)
    if anchors is None or used is None or not anchors.by_scale or (used.best_possible_recall or 0) <= RECALL:
        return
    factor, recall = min(anchors.by_scale, key=lambda pair: pair[1])
    if recall <= RECALL:
        message = (
            f"best possible recall falls from {used.best_possible_recall:.4f} to {recall:.4f} where scale makes boxes {factor:g}x as large"
        )
        yield Hit(message, "a smaller `scale`, or anchors fitted to smaller boxes", anchors.path, anchors.line, share=1 - recall)


def anchor_order(facts: Facts) -> Iterator[Hit]:
    """The anchors do not grow with the stride.

    The finest level should have the smallest anchors: its cells see the least of the picture. yolov5 and yolov7 turn the whole set around
    when its first and last level contradict the strides; a set that is mixed up within stays as it is.
    """
    anchors, present = _present(facts)
    if anchors is None or present is None:
        return
    levels = sorted(zip(anchors.strides, anchors.levels, present.anchors, strict=True))
    areas = [(name, sum(w * h for w, h in boxes) / len(boxes)) for _, name, boxes in levels if boxes]
    wrong = [(low, high) for low, high in pairwise(areas) if low[1] > high[1]]
    if wrong:
        turned = anchors.refits is not None and areas[0][1] > areas[-1][1]
        what = "; the trainer turns the set around" if turned else ""
        pairs = ", ".join(f"{low[0]} has {low[1]:.0f} px² on average and {high[0]} {high[1]:.0f}" for low, high in wrong)
        message = f"anchors do not grow with the stride: {pairs}{what}"
        yield Hit(message, "the smallest anchors belong to the smallest stride", anchors.path, anchors.line)


def anchor_units(facts: Facts) -> Iterator[Hit]:
    """The anchors look as if they were not pixels.

    Model files hold pixels of the network input. Here the boxes would be met much better if the numbers were cells of the level's grid, as
    the head keeps them internally, or fractions of the picture.
    """
    anchors, present = _present(facts)
    unit = _unit(anchors) if anchors is not None else None
    if anchors is not None and unit is not None and present is not None:
        message = (
            f"anchors seem to be no pixels: as such they take {present.best_possible_recall:.1%} of the boxes, as {unit[0]} {unit[1]:.1%}"
        )
        yield Hit(message, "multiply them: cells by the stride, fractions by the input size", anchors.path, anchors.line)


def anchor_too_large(facts: Facts) -> Iterator[Hit]:
    """An anchor is larger than the network input.

    No box can be: either the input is smaller than the one that the anchors were made for, or a number is wrong.
    """
    anchors, present = _present(facts)
    if anchors is None or present is None:
        return
    height, width = anchors.imgsz
    for name, boxes in zip(anchors.levels, present.anchors, strict=True):
        large = [f"{w:g}x{h:g}" for w, h in boxes if w > width or h > height]
        if large:
            message = f"{name} has anchors beyond the {width}x{height} input: {', '.join(large)}"
            yield Hit(message, "a larger --imgsz, or fitted anchors", anchors.path, anchors.line)


def anchor_beyond_decode(facts: Facts) -> Iterator[Hit]:
    """anchor_t lets anchors take boxes that the head cannot answer.

    A box side comes out as (2 sigmoid(t))^2 times the anchor's, so never more than 4 times. With anchor_t above 4 larger boxes are assigned
    all the same: they are trained towards a size that is out of reach.
    """
    anchors, used = _used(facts)
    if anchors is None or used is None or anchors.reach is None or anchors.threshold <= anchors.reach:
        return
    message = f"{anchors.key} {anchors.threshold:g} is beyond the {anchors.reach:g}x that the decode can answer"
    pairs = f": {used.beyond_reach} matches of a box and an anchor are" if used.beyond_reach else ", though no box is that large"
    yield Hit(message + pairs, f"{anchors.key} of {anchors.reach:g} or less", count=max(1, used.beyond_reach))


def level_starving(facts: Facts) -> Iterator[Hit]:
    """A level gets less than 1 % of the matches.

    Its anchors do not suit the boxes of this data. Its box and class terms are means over few positives or none: noise with the weight of a
    whole level.
    """
    anchors, used = _used(facts)
    if anchors is None or used is None:
        return
    if _unit(anchors):
        return
    total = sum(map(sum, used.matches))
    for name, stride, row in zip(anchors.levels, anchors.strides, used.matches, strict=True):
        if total and sum(row) < STARVING * total:
            message = f"{name} (stride {stride}) gets {sum(row)} of {total} matches"
            yield Hit(message, FEED, anchors.path, anchors.line, share=sum(row) / total)


def anchor_unused(facts: Facts) -> Iterator[Hit]:
    """An anchor takes no box at all: its channels learn only to say no.

    It costs memory and adds cells to the objectness mean. Boxes of its shape may be missing from this data alone: look at the other
    splits.
    """
    anchors, used = _used(facts)
    if anchors is None or used is None or not anchors.boxes or _unit(anchors):
        return
    for name, boxes, row in zip(anchors.levels, used.anchors, used.matches, strict=True):
        unused = [f"{w:g}x{h:g}" for (w, h), number in zip(boxes, row, strict=True) if not number]
        if unused and any(row):
            message = f"no box matches {', '.join(unused)} of {name}"
            yield Hit(message, "inspect anchors --refit shows better ones", anchors.path, anchors.line, len(unused))


def anchors_not_fitted(facts: Facts) -> Iterator[Hit]:
    """Anchors have to be fitted, and there are too few boxes for it.

    A fit needs at least as many boxes of different shape, 2 px or more on a side, as it makes anchors.
    """
    anchors = facts.anchors
    if anchors is not None and anchors.fit_why and anchors.fitted is None:
        message = f"{anchors.fit_number} anchors need as many boxes of different shape, there are {anchors.shapes} ({anchors.fit_why})"
        yield Hit(message, "more data, or a head with anchors of its own", anchors.path, anchors.line)


def _unit(anchors: AnchorFacts) -> tuple[str, float] | None:
    """The unit that the numbers seem to have instead of pixels, and the recall that they would have in it. Other rules are silent then."""
    present = anchors.present
    if present is None or present.best_possible_recall is None:
        return None
    largest = max(max(w, h) for boxes in present.anchors for w, h in boxes)
    if largest <= 1:
        guess, recall = "fractions of the picture", anchors.recall_in_fractions
    elif largest <= max(anchors.strides):
        guess, recall = "cells of their level", anchors.recall_in_cells
    else:
        return None
    return (guess, recall) if recall is not None and recall > present.best_possible_recall + OTHER_UNIT else None


def _present(facts: Facts) -> tuple[AnchorFacts | None, AnchorSet | None]:
    return facts.anchors, facts.anchors.present if facts.anchors is not None else None


def _used(facts: Facts) -> tuple[AnchorFacts | None, AnchorSet | None]:
    """The present set, or the fitted one of a head that has none."""
    return facts.anchors, (facts.anchors.present or facts.anchors.fitted) if facts.anchors is not None else None


RULES: tuple[FactsRule, ...] = (
    facts_rule("DET450", "warning", anchor_recall),
    facts_rule("DET451", "info", anchor_recall_scaled),
    facts_rule("DET452", "warning", anchor_order),
    facts_rule("DET453", "error", anchor_units),
    facts_rule("DET454", "warning", anchor_too_large),
    facts_rule("DET455", "warning", anchor_beyond_decode),
    facts_rule("DET456", "warning", level_starving),
    facts_rule("DET457", "info", anchor_unused),
    facts_rule("DET458", "warning", anchors_not_fitted),
)
