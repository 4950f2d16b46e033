"""What real head outputs say, as plain values. The field names are those of the JSON report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SATURATED = 9.21  # |logit| from which on its sigmoid lies within 1e-4 of 0 or 1
CHECKPOINT = "checkpoint"  # trigger of dumps that are batches of a split, not steps of a training
Spread = tuple[float, float, float]  # the tenth, the fiftieth and the ninetieth percentile


@dataclass(frozen=True, slots=True)
class HeadLevelFacts:
    """Answers of one level. A slot is a cell and anchor that a box won; what no box has is background.

    iou: of each slot's decoded box with its target. iou_above_half: share of slots. confidence: objectness at the slots, or the probability
    of the target's class where there is none. All four None without slots, the first two also where the family does not decode boxes.
    background_mean, background_most: the same of background cells, with the surest class where there is no objectness.
    false_alarms: background cells at 0.5 or more. separation: probability that a slot answers more surely than a background cell, 0.5 by
    chance; None without either. slots_saturated: slots whose confidence is below 1e-4. alarms_saturated: background cells above 1 - 1e-4.
    box_saturated: share of the box logits at the slots beyond +-9.21, None where boxes are no sigmoids. classes_saturated: slots whose own
    class is below 1e-4. logits: least and largest logit by group of channels: box, obj, cls.
    """

    level: str
    slots: int
    iou: Spread | None
    iou_above_half: float | None
    confidence: Spread | None
    background: int
    background_mean: float | None
    background_most: float | None
    false_alarms: int
    separation: float | None
    slots_saturated: int
    alarms_saturated: int
    box_saturated: float | None
    classes_saturated: int
    logits: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class GradientFacts:
    """The gradient of one term, as it goes into backward, at the outputs of one level: mean over batches of its L2 norm.

    share: of the sum of all terms' norms at this level, None where that is 0. positives: rows behind the term there. not_finite: batches
    whose gradient is NaN or infinite; they are left out of the mean.
    """

    term: str
    level: str
    norm: float
    share: float | None
    positives: int
    not_finite: int


@dataclass(frozen=True, slots=True)
class CellFacts:
    """A background cell and what it costs. picture: path of the picture, or of the file that holds its answers and those of others. image:
    its number among those. x, y: its centre, px of the network input.
    confidence: as in the levels. cls: the surest class there. cost: with its gain. share: of the term."""

    picture: str
    image: int
    level: str
    anchor: int
    row: int
    col: int
    x: float
    y: float
    confidence: float
    cls: str
    term: str
    cost: float
    share: float | None


@dataclass(frozen=True, slots=True)
class ConfusionFacts:
    """Slots of one class that answer another one. slots: of the class, over all answers."""

    cls: str
    taken_for: str
    count: int
    slots: int


@dataclass(frozen=True, slots=True)
class AnswerFacts:
    """One row a box that has slots, in file order. N boxes.

    path, line: where it stands. name: of its class. iou: (N,) of its best slot, NaN where boxes are not decoded. confidence: (N,) of its
    surest slot. taken_for: class that its surest slot answers.
    """

    path: tuple[str, ...]
    line: NDArray[np.int32]
    name: tuple[str, ...]
    iou: NDArray[np.float64]
    confidence: NDArray[np.float64]
    taken_for: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReachedFacts:
    """Objectness of a target that is the overlap, at the overlaps that the boxes have by now; the marks take those of an untrained head.

    value: what it costs. constant: what the best constant for each level and anchor would. floor: what answering every target exactly
    would; above 0, as a target between 0 and 1 never costs nothing.
    """

    value: float
    constant: float
    floor: float


@dataclass(frozen=True, slots=True)
class HeadFacts:
    """What a head answers. steps: of the training, that these are; none where no dump says so. cells: the background that costs most,
    worst first. right: slots that answer their own class, of `slots`; None with one class. confusion: most frequent first.
    objectness: None where its target is no overlap or its loss no plain BCE."""

    steps: tuple[int, ...]
    levels: tuple[HeadLevelFacts, ...]
    gradients: tuple[GradientFacts, ...]
    cells: tuple[CellFacts, ...]
    slots: int
    right: int | None
    confusion: tuple[ConfusionFacts, ...]
    answers: AnswerFacts
    objectness: ReachedFacts | None = None


@dataclass(frozen=True, slots=True)
class ParityFacts:
    """The trainer's numbers and detloss's for the same tensors: total and items by name. difference: the largest, relative.
    explained: the setting that would bring them together, "" if none does."""

    trainer: Mapping[str, float]
    own: Mapping[str, float]
    difference: float
    tolerance: float
    agrees: bool
    explained: str


@dataclass(frozen=True, slots=True)
class StepTermFacts:
    """One term at one level of one step, None in families without levels. value: with its gain. gradient: as `GradientFacts.norm`, None
    where it is not finite."""

    term: str
    level: str | None
    value: float
    gradient: float | None


@dataclass(frozen=True, slots=True)
class DumpFacts:
    """One recorded step of a training. trigger: why it was recorded. dtype: of the logits. totals: by term name, and `total`, computed in
    float32. parity: None where the trainer's loss is not in the dump. half: totals computed in 16 bits throughout, where the logits have
    16 and every operation exists there. terms: level by level. head: what it answers in this step."""

    path: str
    step: int
    epoch: int | None
    rank: int
    trigger: str
    images: int
    boxes: int
    dtype: str
    totals: Mapping[str, float]
    parity: ParityFacts | None
    half: Mapping[str, float] | None = None
    terms: tuple[StepTermFacts, ...] = ()
    head: HeadFacts | None = None
