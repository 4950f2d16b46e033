"""What a family module offers. A family is a module; this is the shape it is checked against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from detloss_cli.inputs.head import Channels, Head
from detloss_cli.targets.assignment import Array, Assignment, Frame, Targets

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from detloss_cli.losses.stack import Stack, StackedLoss
    from detloss_cli.losses.term import LossBreakdown
    from detloss_cli.predictions.interface import Predictions


@dataclass(frozen=True, slots=True)
class GainStep:
    """One factor of a gain. rule: such as `x 3/nl`. factor: the number. source: who applies it: hyp, trainer, loss."""

    rule: str
    factor: float
    source: str


@dataclass(frozen=True, slots=True)
class Gain:
    """A gain from the hyp value to the value used. term: the term it weighs. key: the hyp key, "" where none is read. hyp: its value there.
    steps: each factor in turn. note: what is odd about it, such as a key that is not read."""

    term: str
    key: str
    hyp: float
    steps: tuple[GainStep, ...]
    note: str = ""

    @property
    def used(self) -> float:
        """hyp times every factor."""
        value = self.hyp
        for step in self.steps:
            value *= step.factor
        return value

    def factor(self, source: str) -> float:
        """Product of the factors of one source."""
        value = 1.0
        for step in self.steps:
            value *= step.factor if step.source == source else 1.0
        return value


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a target has no positive. key: groups alike ones: `ratio`, `no_centre_inside`. text: with the numbers of this target."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Open:
    """How many slots are open to each box before any prediction is known. test: what decides. slots: (N, L) int64."""

    test: str
    slots: Array


@dataclass(frozen=True, slots=True)
class BatchTargets:
    """One batch of a data set after assignment: what a base rate is fitted to. head: that sees it, where batches differ in their shape."""

    targets: Targets
    assignment: Assignment
    head: Head | None = None


class Family(Protocol):
    """One detector: its hyp, which targets, which losses, its released versions.

    ID: lower-case id. TITLE: one line. SOURCE: repository@commits. LICENCE: of the original. PROFILES: name -> profile, oldest first; the
    last is the default. NEEDS_PREDICTIONS: True if assignment looks at predictions. FRAME: how `Targets.boxes` are given.
    IMGSZ, MODEL, HYP: defaults: input size in pixels, head, name of a hyp file under configs/. LOADER: default loader of labels.
    TERMS: names of its terms in the order the trainer prints them.

    A family may also have HEAD (what it needs of a head, see `head_kind`), HEAT_MAPS (True where levels are heat maps with a radius for
    each object), RECT (True where the trainer can form rectangular batches),
    COARSE_FIRST, DIVISOR, LETTERBOX, and the functions of `Optional`.
    """

    ID: str
    TITLE: str
    SOURCE: str
    LICENCE: str
    PROFILES: Mapping[str, Any]
    NEEDS_PREDICTIONS: bool
    FRAME: Frame
    IMGSZ: int
    MODEL: str
    HYP: str
    LOADER: str
    TERMS: tuple[str, ...]
    Hyp: type  # a frozen dataclass; each field made with `hyp_field`

    def channels(self, head: Head) -> Channels:
        """Where box, objectness and classes stand in the last axis."""
        ...

    def gain_ledger(self, hyp: Any, head: Head, profile: str) -> tuple[Gain, ...]:
        """What the trainer does to each gain before and inside the loss."""
        ...

    def scaled(self, hyp: Any, head: Head, profile: str) -> Any:
        """The hyp as the trainer hands it to the loss: the ledger's steps of source `trainer` applied."""
        ...

    def prior(self, head: Head, hyp: Any, profile: str) -> tuple[Tensor, ...]:
        """Logits of a fresh head, one (A, C) float64 tensor a level: the loss of step 0."""
        ...

    def base_rate(self, head: Head, hyp: Any, profile: str, batches: Sequence[BatchTargets]) -> tuple[Tensor, ...]:
        """The constant logits that minimise each term on these targets, one (A, C) float64 tensor a level."""
        ...

    def perfect(self, head: Head, hyp: Any, profile: str, targets: Targets, assignment: Assignment) -> Predictions:
        """The head that answers each slot with its winning target."""
        ...

    def assign(self, head: Head, hyp: Any, targets: Targets, predictions: Predictions | None = None, *, profile: str) -> Assignment:
        """Which target trains which slot."""
        ...

    def loss(
        self, head: Head, hyp: Any, targets: Targets, predictions: Predictions, assignment: Assignment, *, profile: str, state: Any = None
    ) -> LossBreakdown:
        """The loss of one batch. hyp: as the loss gets it, that is after `scaled`."""
        ...

    def reasons(self, head: Head, hyp: Any, targets: Targets, assignment: Assignment, *, profile: str) -> dict[int, Reason]:
        """For each target without a row in the assignment, why."""
        ...


class Shared(Protocol):
    """What several heads share in one pass over a data set."""

    def sums(self, targets: Targets, assignment: Assignment, stack: Stack, dtype: torch.dtype) -> Any:
        """What all constant heads of a stack share."""
        ...

    def joined_sums(self, parts: Sequence[Any]) -> Any:
        """The sums of all stacks, in their order, as those of one."""
        ...


class Stacked(Shared, Protocol):
    """The loss of many batches at once, for heads that are never built and a family that assigns without predictions.

    prior: as `Family.prior`. in_sums: all constant heads follow from sums that they share; then `sums`, `joined_sums`, `rates_of` and
    `constant_of` are there, `joined` is not needed, and `loss` for the perfect head alone. perfect_in_sums: that one follows from them,
    too, and no `loss` is needed. One whose base rate says other boxes than the prior has `moved_of` beside: from the prior's sums, what a
    second pass has to share.
    """

    @property
    def prior(self) -> Sequence[Tensor]: ...

    @property
    def in_sums(self) -> bool: ...

    @property
    def perfect_in_sums(self) -> bool: ...

    def rates_of(self, sums: Any) -> Any:
        """What `base_rate` is fitted to."""
        ...

    def constant_of(self, bias: Sequence[Tensor] | None, sums: Any) -> StackedLoss:
        """As `loss`, from the sums; without logits where `perfect_in_sums` says so."""
        ...

    def loss(
        self, bias: Sequence[Tensor] | None, targets: Targets, assignment: Assignment, stack: Stack, *, rates: bool = False
    ) -> tuple[StackedLoss, Any]:
        """The loss of a head, and what `base_rate` is fitted to if `rates` asks for it. bias: (A, C) a level of a head that says the same
        in every cell, None for that of `Family.perfect`."""
        ...

    def by_target(self, bias: Sequence[Tensor] | None, targets: Targets, assignment: Assignment, stack: Stack) -> dict[str, Tensor]:
        """What the rows of each target add to each term of its batch, gains included: (N,) float64 by term."""
        ...

    def joined(self, rates: Sequence[Any]) -> Any:
        """The rates of all stacks as those of one."""
        ...

    def base_rate(self, rates: Any) -> tuple[Tensor, ...]:
        """As `Family.base_rate`, from the rates of all batches."""
        ...


class Optional(Protocol):
    """Functions that some families have beside those of `Family`."""

    def refused(self, head: Head, hyp: Any, targets: Targets, *, profile: str) -> dict[int, Reason]:
        """Boxes that this release raises an error over."""
        ...

    def infinite(self, head: Head, hyp: Any, targets: Targets, assignment: Assignment, *, profile: str) -> dict[int, Reason]:
        """Boxes whose row makes the loss infinite or NaN."""
        ...

    def stops(self, head: Head, hyp: Any, targets: Targets, assignment: Assignment, *, profile: str) -> dict[int, Reason]:
        """Boxes over whose batch this release raises an error."""
        ...

    def open_slots(self, head: Head, hyp: Any, targets: Targets, *, profile: str) -> tuple[Open, ...]:
        """The part of an assignment by predictions that needs none: the tests that a slot has to pass, each narrower than the last."""
        ...

    def level_anchors(self, head: Head) -> tuple[tuple[tuple[float, float], ...], ...]:
        """(w, h) in pixels of the anchors that each level really takes, where they are not the head's own."""
        ...

    def with_class_weights(self, hyp: Any, counts: Sequence[int], profile: str) -> Any:
        """The hyp with weights of the classes. counts: (C,) boxes of each class in the training set."""
        ...

    def beyond_most(self, hyp: Any, image: Any) -> Any:
        """(N,) bool: boxes that the loader leaves out because their image has too many. image: (N,) of each box."""
        ...

    def stacked(self, head: Head, hyp: Any, profile: str) -> Stacked | None:
        """The loss of many batches at once; None where this hyp makes a batch depend on another."""
        ...

    def outputs(self, head: Head, profile: str) -> Head:
        """The maps that the loss of a release sees."""
        ...

    def decoded(
        self, head: Head, hyp: Any, predictions: Predictions, assignment: Assignment, index: int, rows: Tensor, *, profile: str
    ) -> Tensor:
        """(P, 4) `xyxy` px of the network input: what the slots of some rows, all of one level, decode to."""
        ...

    def background(
        self, head: Head, hyp: Any, targets: Targets, predictions: Predictions, assignment: Assignment, index: int, *, profile: str
    ) -> tuple[str, Tensor]:
        """A term, and what each cell of a level without a row adds to it before its gain: (B, A, H, W), 0 at the rows."""
        ...
