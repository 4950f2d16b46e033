"""The anchors of a head against the boxes of a data set: what they reach, under augmentation too, and what a fit would reach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detloss_cli.facts import AssignmentFacts, LevelFacts
from detloss_cli.facts.anchors import AnchorFacts, AnchorSet, Boxes
from detloss_cli.inputs.head import Head, Level
from detloss_cli.measure.anchor_fit import SMALLEST_PX, Points, fit_anchors, fitness, recall, weighted_points
from detloss_cli.measure.anchor_match import MatchCount, Matching, beyond_reach, count_matches
from detloss_cli.measure.size_classes import size_classes

Float = NDArray[np.float32]
KEEPS = 0.98  # AutoAnchor leaves a set alone whose best possible recall is above it
STEPS = 10  # between the smallest and the largest scale
DROPPED_PX = 2.0  # trainers drop boxes that augmentation leaves with a side of no more than this


@dataclass(frozen=True, slots=True)
class AnchorTask:
    """What is asked. matching, key, reach: how the family decides, and how far its decode goes. auto: its trainer fits anchors itself.
    per_level: anchors a level of a fit. why: why one is wanted, "" for none. scale: of the augmentation, None without."""

    matching: Matching
    key: str
    reach: float | None
    auto: bool
    per_level: int
    why: str
    scale: float | None
    seed: int
    generations: int


def anchor_facts(network: Float, head: Head, task: AnchorTask) -> tuple[AnchorFacts, MatchCount, tuple[Level, ...]]:
    """Facts, and the counts with the levels that they belong to: the present anchors, the fitted ones where there are none, else nothing.

    Args:
        network: (N, 4) boxes in 0..1 of the network input. head: its levels without anchors where those have to be fitted.
    """
    size_px = network[:, 2:] * np.asarray(head.imgsz[::-1], dtype=np.float32)
    points = weighted_points(size_px)
    present = count = None
    levels = head.levels
    if all(level.anchors for level in levels):
        count = count_matches(network, levels, task.matching)
        present = _set(network, points, levels, count, task)
    number, shapes = task.per_level * len(levels), _shapes(points)
    fitted = fit_count = None
    fit_levels = levels
    if task.why and shapes >= number:
        anchors = fit_anchors(size_px, number, task.matching, seed=task.seed, generations=task.generations)
        fit_levels = with_anchors(levels, anchors)
        fit_count = count_matches(network, fit_levels, task.matching)
        fitted = _set(network, points, fit_levels, fit_count, task)
    facts = AnchorFacts(
        test=task.matching.test,
        key=task.key,
        threshold=task.matching.threshold,
        reach=task.reach,
        imgsz=head.imgsz,
        boxes=len(network),
        shapes=shapes,
        below_fit=int(np.count_nonzero((size_px[:, 0] < SMALLEST_PX) & (size_px[:, 1] < SMALLEST_PX))),
        levels=tuple(level.name for level in levels),
        strides=head.strides,
        present=present,
        refits=_refits(present, task),
        fit_why=task.why,
        fit_number=number,
        fitted=fitted,
        seed=task.seed,
        generations=task.generations,
        scale=task.scale,
        by_scale=_by_scale(points, present or fitted, head.imgsz, task),
        recall_in_cells=_recall_times(points, levels, [level.stride for level in levels], task) if present else None,
        recall_in_fractions=_recall_times(points, levels, [max(head.imgsz)] * len(levels), task) if present else None,
    )
    if count is None and fit_count is not None:
        return facts, fit_count, fit_levels
    return facts, count or count_matches(network, (), task.matching), levels if count else ()


def with_anchors(levels: Sequence[Level], anchors_px: Float) -> tuple[Level, ...]:
    """Anchors dealt out to levels, the small ones to the fine levels, rounded to a tenth of a pixel as they are written down.

    Args:
        anchors_px: (A L, 2) by area.
    """
    order = sorted(range(len(levels)), key=lambda index: levels[index].stride)
    share = len(anchors_px) // len(levels)
    found = list(levels)
    for place, index in enumerate(order):
        rows = anchors_px[place * share : (place + 1) * share].astype(np.float64)
        found[index] = replace(levels[index], anchors=tuple((round(w, 1), round(h, 1)) for w, h in rows.tolist()))
    return tuple(found)


def level_facts(levels: Sequence[Level], count: MatchCount) -> tuple[LevelFacts, ...]:
    """Facts of each level, where positives are matches times cells."""
    return tuple(
        LevelFacts(
            level=level.name,
            stride=level.stride,
            rows=level.rows,
            cols=level.cols,
            cells=level.slots,
            anchors=level.anchors,
            positives=int(count.positives[index].sum()),
            boxes_matched=int(np.count_nonzero(count.anchors[:, index])),
            matches_per_anchor=tuple(count.matches[index].tolist()),
            positives_per_anchor=tuple(count.positives[index].tolist()),
        )
        for index, level in enumerate(levels)
    )


def assignment_facts(count: MatchCount, size_px: Float, reasons: Mapping[int, str]) -> AssignmentFacts:
    """Facts over all levels but the collisions, which need an index of all rows.

    Args:
        size_px: (N, 2). reasons: key of each box without an anchor.
    """
    per_box = count.rows.sum(axis=1, dtype=np.int64)
    without = np.flatnonzero(per_box == 0)
    return AssignmentFacts(
        positives=int(per_box.sum()),
        boxes=len(per_box),
        unassigned=len(without),
        by_reason=dict(sorted(Counter(reasons.values()).items())),
        by_size=size_classes(size_px[without].prod(axis=1)),
        per_box_mean=float(per_box.mean()) if len(per_box) else 0.0,
        per_box_max=int(per_box.max(initial=0)),
        per_box_histogram=tuple(np.bincount(per_box).tolist()) if len(per_box) else (),
        collision_slots=0,
        collision_rows=0,
        boxes_without_slot=0,
        class_conflicts=0,
        best_possible_recall=count.recall,
        anchors_per_target=count.per_box,
        collisions_counted=False,
    )


def _set(network: Float, points: Points, levels: Sequence[Level], count: MatchCount, task: AnchorTask) -> AnchorSet:
    anchors: tuple[Boxes, ...] = tuple(level.anchors for level in levels)
    return AnchorSet(
        anchors=anchors,
        matches=tuple(tuple(row.tolist()) for row in count.matches),
        best_possible_recall=count.recall,
        anchors_per_target=count.per_box,
        fitness=fitness(points, _column(anchors), task.matching) if len(points) else None,
        beyond_reach=beyond_reach(network, levels, task.matching, task.reach) if task.reach is not None else 0,
    )


def _column(anchors: Sequence[Boxes]) -> Float:
    """(A L, 2) of all levels."""
    return np.asarray([anchor for row in anchors for anchor in row], dtype=np.float32).reshape(-1, 2)


def _shapes(points: Points) -> int:
    """How many different shapes a fit can tell apart."""
    large = (points.width >= SMALLEST_PX) | (points.height >= SMALLEST_PX)
    return len(np.unique(points.width[large] + 1j * points.height[large]))


def _refits(present: AnchorSet | None, task: AnchorTask) -> bool | None:
    if not task.auto:
        return None
    return present is None or (present.best_possible_recall is not None and present.best_possible_recall <= KEEPS)


def _by_scale(points: Points, used: AnchorSet | None, imgsz: tuple[int, int], task: AnchorTask) -> tuple[tuple[float, float], ...]:
    """Recall of the boxes that the augmentation keeps at each scale. Sides are cut to the network input, as the trainer does."""
    if used is None or not task.scale or not len(points):
        return ()
    anchors, found = _column(used.anchors), []
    for factor in np.linspace(max(0.0, 1 - task.scale), 1 + task.scale, STEPS + 1).tolist():
        wide, high = points.width * np.float32(factor), points.height * np.float32(factor)
        kept = (wide > DROPPED_PX) & (high > DROPPED_PX)
        if kept.any():
            shown = Points(np.minimum(wide, imgsz[1])[kept], np.minimum(high, imgsz[0])[kept], points.weight[kept])
            found.append((round(factor, 6), recall(shown, anchors, task.matching)))
    return tuple(found)


def _recall_times(points: Points, levels: Sequence[Level], factors: Sequence[int], task: AnchorTask) -> float | None:
    if not len(points):
        return None
    scaled = [tuple((w * factor, h * factor) for w, h in level.anchors) for level, factor in zip(levels, factors, strict=True)]
    return recall(points, _column(scaled), task.matching)
