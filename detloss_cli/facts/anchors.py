"""What was measured about anchors, as plain values. The field names are those of the JSON report."""

from __future__ import annotations

from dataclasses import dataclass

Boxes = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class AnchorSet:
    """One set of anchors in front of the boxes. L levels.

    anchors: (w, h) px of the network input, by level. matches: boxes that each takes, by level. best_possible_recall: share of the boxes
    that any takes. anchors_per_target: anchors a box. fitness: mean closeness of the best anchor, 0 for boxes that none takes.
    beyond_reach: pairs that match although the decode cannot answer them. The figures None without boxes.
    """

    anchors: tuple[Boxes, ...]
    matches: tuple[tuple[int, ...], ...]
    best_possible_recall: float | None
    anchors_per_target: float | None
    fitness: float | None
    beyond_reach: int


@dataclass(frozen=True, slots=True)
class AnchorFacts:
    """The anchors of a head against a data set. path, line: where the present ones are written, None for a built-in head.

    test, key, threshold: `ratio` below hyp key anchor_t, `shape` IoU above iou_t, or `best`. reach: largest box side in anchor sides that
    the decode can answer, None without a bound. boxes: all of them. shapes: different ones that a fit could use. below_fit: boxes left out
    of a fit, both sides below 2 px. levels, strides: in the head's order. present: of the model, None where it has a number for anchors.
    refits: whether the trainer would fit new ones before the first epoch, None if it never does. fit_why: why there is a fit, "" without.
    fitted: None without one, or where the shapes are too few. fit_number: anchors of a fit. seed, generations: of the fit.
    scale: hyp key, boxes are scaled by 1 - scale to 1 + scale while training; None without. by_scale: (factor, best possible recall) of
    what the augmentation keeps. recall_in_cells, recall_in_fractions: best possible recall if the present numbers were cells of their
    level, fractions of the input.
    """

    test: str
    key: str
    threshold: float
    reach: float | None
    imgsz: tuple[int, int]
    boxes: int
    shapes: int
    below_fit: int
    levels: tuple[str, ...]
    strides: tuple[int, ...]
    present: AnchorSet | None
    refits: bool | None
    fit_why: str
    fit_number: int
    fitted: AnchorSet | None
    seed: int
    generations: int
    scale: float | None
    by_scale: tuple[tuple[float, float], ...]
    recall_in_cells: float | None
    recall_in_fractions: float | None
    path: str | None = None
    line: int | None = None
