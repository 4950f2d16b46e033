"""What was measured, as plain values: no judgement, no tensors, nothing that prints.

The field names are those of the JSON report. Lists run over levels, classes or terms as their doc says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from detloss_cli.facts.box_loss import BoxLossFacts as BoxLossFacts
from detloss_cli.facts.image import ImageFacts as ImageFacts
from detloss_cli.facts.labels import ClassFacts as ClassFacts
from detloss_cli.facts.labels import LabelFacts as LabelFacts
from detloss_cli.facts.labels import LostRows as LostRows
from detloss_cli.facts.labels import SurveyFacts

if TYPE_CHECKING:
    from detloss_cli.facts.anchors import AnchorFacts
    from detloss_cli.facts.box_columns import OfImage, OfSome
    from detloss_cli.facts.box_groups import BoxGroups
    from detloss_cli.facts.compare import CompareFacts
    from detloss_cli.facts.gate import GateFacts
    from detloss_cli.facts.heads import DumpFacts, HeadFacts
    from detloss_cli.facts.reach import ReachFacts
    from detloss_cli.facts.run import RunFacts
    from detloss_cli.facts.sweep import SweepFacts


@dataclass(frozen=True, slots=True)
class DataFacts:
    """path: as given. root: the resolved folder that report paths are relative to. splits: split -> folders or lists read."""

    path: str
    root: str
    splits: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ShapeFacts:
    """Batches that share an input shape. imgsz: height and width, px. batches, images: how many have it."""

    imgsz: tuple[int, int]
    batches: int
    images: int


@dataclass(frozen=True, slots=True)
class Settings:
    """Every choice that led to the numbers. origins: key -> why it has this value: `default`, `option`, `hyp key giou`, ...

    shapes: of rectangular batches, in the order in which they come; empty where all batches have the shape of `imgsz`.
    """

    family: str
    profile: str
    loader: str
    model: str
    imgsz: tuple[int, int]
    num_classes: int
    names_source: str
    geometry: str
    batch_size: int
    device: str
    dtype: str
    seed: int
    head: str | None
    preds: str | None
    hyp: str
    gains: str
    origins: Mapping[str, str]
    shapes: tuple[ShapeFacts, ...] = ()


@dataclass(frozen=True, slots=True)
class LevelFacts:
    """One level over the data set. cells = rows x cols x anchors of one image, all three of the largest input shape.
    boxes_matched: boxes with a row here.

    matches_per_anchor: (box, anchor) pairs that pass; positives_per_anchor: rows, neighbours included. obj_target_mean: over distinct
    positive slots, None without objectness. weight_per_positive: the level's value over its positives relative to the first level that has
    any, None if it has none or no loss was computed. balance: objectness weight of the first batch. balance_after: what autobalance made of
    it after the last one, None without autobalance.
    """

    level: str
    stride: int
    rows: int
    cols: int
    cells: int
    anchors: tuple[tuple[float, float], ...]
    positives: int
    boxes_matched: int
    matches_per_anchor: tuple[int, ...]
    positives_per_anchor: tuple[int, ...]
    balance: float | None = None
    obj_target_mean: float | None = None
    weight_per_positive: float | None = None
    balance_after: float | None = None


@dataclass(frozen=True, slots=True)
class MapFacts:
    """One heat map of a key-point family over the data set.

    cells: rows x cols of one image and class. positives: objects with a row. centres: cells and classes whose target is exactly 1, what the
    term is divided by. shared: objects whose cell is that of another one of their image too, of whatever class. radius_histogram: objects
    by radius of their Gaussian, cells: entry k counts radius k. near_cells: cells and classes with a target between 0 and 1. near_weight:
    mean weight (1 - target)^4 that those have as negatives; both None where no loss was computed.
    """

    map: str
    stride: int
    rows: int
    cols: int
    cells: int
    positives: int
    centres: int
    shared: int
    radius_histogram: tuple[int, ...]
    near_cells: int | None = None
    near_weight: float | None = None


@dataclass(frozen=True, slots=True)
class AssignmentFacts:
    """positives: rows. boxes: those handed to the assigner. per_box: rows a box. slots: claimed more than once.

    unassigned: boxes without a row, by reason, size class, class name and side ratio. collision_rows = positives - distinct slots.
    best_possible_recall: share of boxes with an anchor, anchors_per_target: anchors a box, None in families without anchors.
    collisions_counted: False where rows were counted without an index, and the four figures about slots say nothing. collision_cost: by
    term, the loss of a head that answers every slot with its winner, None where it was not computed. collision_pairs: of boxes, each once.
    """

    positives: int
    boxes: int
    unassigned: int
    by_reason: Mapping[str, int]
    by_size: Mapping[str, int]
    per_box_mean: float
    per_box_max: int
    per_box_histogram: tuple[int, ...]
    collision_slots: int
    collision_rows: int
    boxes_without_slot: int
    class_conflicts: int
    best_possible_recall: float | None
    anchors_per_target: float | None
    by_class: Mapping[str, int] = field(default_factory=dict)
    by_aspect: Mapping[str, int] = field(default_factory=dict)
    collisions_counted: bool = True
    collision_cost: Mapping[str, float] | None = None
    collision_pairs: int = 0


@dataclass(frozen=True, slots=True)
class GainFacts:
    """A gain from hyp to used. steps: (rule, factor, source) in turn. note: what is odd about it, such as a key that is not read."""

    term: str
    key: str
    hyp: float
    steps: tuple[tuple[str, float, str], ...]
    used: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class TermFacts:
    """One term at one level, mean over batches. share: of the total. count: positives behind it over the whole data set."""

    name: str
    level: str | None
    raw: float
    gain: float
    value: float
    share: float | None
    count: int
    per_positive: float | None


@dataclass(frozen=True, slots=True)
class LossFacts:
    """terms: level by level in the family's order. totals: by term name and `total`. marks: totals of the synthetic heads, by head.
    notes: what the marks assume, by name. what_if: totals under other elementwise losses, by kind."""

    terms: tuple[TermFacts, ...]
    totals: Mapping[str, float]
    batch_factor: float
    batches: int
    marks: Mapping[str, Mapping[str, float]]
    notes: Mapping[str, float] = field(default_factory=dict)
    what_if: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BoxFacts:
    """One row a box that was handed to the assigner, in file order. N boxes, L levels.

    path: label file of each. line, cls: (N,). width, height: (N,) px of the network input. positives: (N, L) rows by level.
    slots: (N,) slots won. reason: key, "" where the box has positives. text: the reason in this box's numbers.
    infinite: by box, why its row makes the loss infinite or NaN. stops: by box, why the trainer raises an error over its batch.
    """

    path: OfImage
    line: NDArray[np.int32]
    cls: NDArray[np.int64]
    width: NDArray[np.float32]
    height: NDArray[np.float32]
    positives: NDArray[np.int32]
    slots: NDArray[np.int32]
    reason: OfSome
    text: OfSome
    infinite: Mapping[int, str] = field(default_factory=dict)
    stops: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Collision:
    """Two boxes that claim one slot. first, second: index into the boxes, the second in file order being where a finding stands."""

    first: int
    second: int
    level: str
    same_class: bool


@dataclass(frozen=True, slots=True)
class HypFacts:
    """One key of a hyp file. used: does the family's loss read it. low, high: range that the trainer's evolution searches."""

    key: str
    value: object
    default: float | str | bool | None
    low: float | None
    high: float | None
    used: bool
    meaning: str
    line: int | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What one run measured; a part that a command does not need is None.

    keys: those of the hyp that the loss reads, as the file gives them.
    """

    command: str
    data: DataFacts | None = None
    settings: Settings | None = None
    labels: LabelFacts | None = None
    levels: tuple[LevelFacts, ...] | None = None
    assignment: AssignmentFacts | None = None
    gains: tuple[GainFacts, ...] | None = None
    loss: LossFacts | None = None
    boxes: BoxFacts | None = None
    box_loss: BoxLossFacts | None = None
    groups: BoxGroups | None = None
    collisions: tuple[Collision, ...] | None = None
    hyp: tuple[HypFacts, ...] | None = None
    image: ImageFacts | None = None
    anchors: AnchorFacts | None = None
    maps: tuple[MapFacts, ...] | None = None
    reach: ReachFacts | None = None
    gate: GateFacts | None = None
    survey: SurveyFacts | None = None
    dumps: tuple[DumpFacts, ...] | None = None
    run: RunFacts | None = None
    keys: Mapping[str, float | str | bool] | None = None
    compare: CompareFacts[Facts] | None = None
    sweep: SweepFacts | None = None
    head: HeadFacts | None = None
