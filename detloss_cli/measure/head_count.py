"""What real head outputs say, batch by batch: answers, background, gradients."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from detloss_cli.facts.heads import SATURATED, AnswerFacts, CellFacts, ConfusionFacts, HeadFacts, HeadLevelFacts, Spread
from detloss_cli.families.anchored import ANCHORED
from detloss_cli.families.interface import BatchTargets
from detloss_cli.inputs.head import Channels
from detloss_cli.inputs.labels import Labels
from detloss_cli.losses.term import LossBreakdown
from detloss_cli.measure.batches import Batch
from detloss_cli.measure.empty_cells import Cell, Costliest, EmptyCells, Said, empty
from detloss_cli.measure.gradients import GradientCount, norms
from detloss_cli.measure.objectness import Reached
from detloss_cli.measure.run import Job
from detloss_cli.measure.slots import Slots, joined, layout, read_slots
from detloss_cli.predictions.interface import DensePredictions, Predictions
from detloss_cli.targets.assignment import Assignment

MOST_CELLS = 20  # background cells that are named
MOST_CONFUSED = 20  # pairs of classes


@dataclass(slots=True)
class HeadCount:
    """One pass over batches. job: with real head outputs. Memory: the outputs of one batch in float32 and their gradients."""

    job: Job
    slots: list[Slots] = field(default_factory=list)
    empty: list[EmptyCells] = field(init=False)
    costliest: Costliest = field(default_factory=lambda: Costliest(MOST_CELLS))
    gradients: GradientCount = field(default_factory=GradientCount)
    reached: Reached = field(init=False)
    ranges: list[dict[str, tuple[float, float]]] = field(init=False)
    rows: Counter[tuple[str, int]] = field(default_factory=Counter)
    terms: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reached = Reached(self.job.head)
        self.empty = [EmptyCells() for _ in self.job.head.levels]
        self.ranges = [{} for _ in self.job.head.levels]

    def add(self, job: Job, batch: Batch, assignment: Assignment, state: Any) -> Any:
        """One batch; returns the state for the next one.

        Args:
            job: what computes this batch; of the same head as the others. state: what the loss carries into it.
        """
        if job.preds is None:
            raise ValueError("expected a job with head outputs")
        given = job.preds(batch, assignment)
        leaves = [given.dense(index).detach().requires_grad_() for index in range(len(job.head.levels))]
        predictions = DensePredictions(leaves)
        breakdown = job.family.loss(job.head, job.hyp, batch.targets, predictions, assignment, profile=job.profile, state=state)
        self.gradients.batches.append(norms(breakdown, leaves))
        for term in breakdown.terms:
            for index in range(len(leaves)) if term.level is None else (term.level,):
                self.rows[term.name, index] += term.count
            self.terms[term.name] = self.terms.get(term.name, 0.0) + float(term.value.detach())
        self.reached.add(job.hyp, breakdown, assignment, batch.targets.images)
        with torch.no_grad():
            self.slots.append(read_slots(job, batch, predictions, assignment, breakdown.extra.get("wins")))
            for index in range(len(leaves)):
                self._level(job, batch, predictions, assignment, breakdown, index)
        return breakdown.state

    def _level(
        self, job: Job, batch: Batch, predictions: Predictions, assignment: Assignment, breakdown: LossBreakdown, index: int
    ) -> None:
        dense = predictions.dense(index)
        channels = layout(job, dense.shape[-1])
        confidence = dense[..., channels.cls].amax(-1) if channels.obj is None else dense[..., channels.obj]
        self.empty[index].add(confidence[empty(confidence, _slots_of(assignment, index))])
        for name, values in _groups(dense, channels).items():
            low, high = self.ranges[index].get(name, (math.inf, -math.inf))
            self.ranges[index][name] = min(low, float(values.min())), max(high, float(values.max()))
        priced: Any = getattr(job.family, "background", None)
        if priced is None:
            return
        name, raw = priced(job.head, job.hyp, batch.targets, predictions, assignment, index, profile=job.profile)
        gain = math.fsum(term.gain for term in breakdown.terms if term.name == name and term.level == index)

        def said(at: tuple[int, ...]) -> Said:
            return Said(float(torch.sigmoid(confidence[at])), int(dense[at][channels.cls].argmax()), name)

        self.costliest.add(index, batch.first_image, raw * gain, said)

    def facts(self, labels: Labels, steps: tuple[int, ...] = ()) -> HeadFacts:
        """Facts over all batches.

        Args:
            labels: those that the batches were cut from. steps: of the training, that the batches are.
        """
        found, names = joined(self.slots), labels.names
        own, answered = found.own, found.answered
        single = self.job.head.num_classes == 1
        return HeadFacts(
            steps=steps,
            levels=tuple(self._level_facts(found, index) for index in range(len(self.job.head.levels))),
            gradients=self.gradients.facts([level.name for level in self.job.head.levels], self.rows),
            cells=tuple(self._cell(cell, said, labels) for cell, said in self.costliest.worst_first()),
            slots=len(own),
            right=None if single else int((own == answered).sum()),
            confusion=() if single else _confusion(own, answered, names),
            answers=_answers(found, labels),
            objectness=self.reached.facts(),
        )

    def _level_facts(self, found: Slots, index: int) -> HeadLevelFacts:
        level, cells, here = self.job.head.levels[index], self.empty[index], found.level == index
        overlap, confidence = found.iou[here], found.confidence[here]
        decoded, logits = bool(len(overlap)) and not np.isnan(overlap).any(), found.box_logits[here]
        return HeadLevelFacts(
            level=level.name,
            slots=int(here.sum()),
            iou=_spread(overlap) if decoded else None,
            iou_above_half=float((overlap > 0.5).mean()) if decoded else None,
            confidence=_spread(_sigmoid(confidence)) if len(confidence) else None,
            background=cells.cells,
            background_mean=cells.sure / cells.cells if cells.cells else None,
            background_most=float(_sigmoid(np.asarray(cells.most))) if cells.cells else None,
            false_alarms=cells.alarms,
            separation=cells.separation(torch.from_numpy(confidence)),
            slots_saturated=int((confidence < -SATURATED).sum()),
            alarms_saturated=cells.saturated,
            box_saturated=float((np.abs(logits) > SATURATED).mean()) if self.job.family.ID in ANCHORED and len(logits) else None,
            classes_saturated=int((found.own_class[here] < -SATURATED).sum()) if self.job.head.num_classes > 1 else 0,
            logits=self.ranges[index],
        )

    def _cell(self, cell: Cell, said: Said, labels: Labels) -> CellFacts:
        cost, index, image, anchor, row, col = cell
        level, whole = self.job.head.levels[index], labels.images.path[image]  # a dump without pictures stands for all of its images
        mean = cost / len(self.slots)
        total = self.terms[said.term] / len(self.slots)
        return CellFacts(
            picture=whole,
            image=image - labels.images.path.index(whole),
            level=level.name,
            anchor=anchor,
            row=row,
            col=col,
            x=(col + 0.5) * level.stride,
            y=(row + 0.5) * level.stride,
            confidence=said.confidence,
            cls=_name(said.cls, labels.names),
            term=said.term,
            cost=mean,
            share=mean / total if total else None,
        )


def _slots_of(assignment: Assignment, index: int) -> tuple[Tensor, ...]:
    """Image, anchor, row and col of a level's rows, and of cells that count as neither."""
    own = assignment.level == index
    columns = [column[own] for column in (assignment.image, assignment.anchor, assignment.row, assignment.col)]
    ignored: Mapping[str, Tensor] = assignment.ignored
    if ignored:
        rest = ignored["level"] == index
        extra = [ignored[name][rest] for name in ("image", "anchor", "row", "col")]
        columns = [torch.cat(pair) for pair in zip(columns, extra, strict=True)]
    return tuple(columns)


def _groups(dense: Tensor, channels: Channels) -> dict[str, Tensor]:
    groups = {"box": dense[..., channels.box], "cls": dense[..., channels.cls]}
    return groups if channels.obj is None else {"box": groups["box"], "obj": dense[..., channels.obj], "cls": groups["cls"]}


def _confusion(own: NDArray[np.int64], answered: NDArray[np.int64], names: Sequence[str]) -> tuple[ConfusionFacts, ...]:
    of = Counter(own.tolist())
    pairs = Counter(pair for pair in zip(own.tolist(), answered.tolist(), strict=True) if pair[0] != pair[1])
    ranked = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))[:MOST_CONFUSED]
    return tuple(ConfusionFacts(_name(a, names), _name(b, names), number, of[a]) for (a, b), number in ranked)


def _answers(found: Slots, labels: Labels) -> AnswerFacts:
    boxes, index = np.unique(found.box, return_inverse=True)
    best = np.full(len(boxes), -np.inf)
    np.maximum.at(best, index, np.nan_to_num(found.iou, nan=-np.inf))
    order = np.lexsort((found.confidence, index))
    surest = order[np.searchsorted(index[order], np.arange(len(boxes)), side="right") - 1] if len(boxes) else order
    files = [labels.images.label_path[image] or labels.images.path[image] for image in labels.image[boxes].tolist()]
    return AnswerFacts(
        path=tuple(files),
        line=labels.line[boxes],
        name=tuple(_name(cls, labels.names) for cls in labels.cls[boxes].tolist()),
        iou=np.where(np.isfinite(best), best, np.nan),
        confidence=_sigmoid(found.confidence[surest]),
        taken_for=tuple(_name(cls, labels.names) for cls in found.answered[surest].tolist()),
    )


def _name(cls: int, names: Sequence[str]) -> str:
    return names[cls] if 0 <= cls < len(names) else f"class_{cls}"


def _sigmoid(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(torch.sigmoid(torch.from_numpy(np.asarray(logits, dtype=np.float64))).numpy())


def _spread(values: NDArray[np.float64]) -> Spread:
    low, middle, high = np.quantile(values, (0.1, 0.5, 0.9)).tolist()
    return low, middle, high


def read_heads(jobs: Sequence[Job], batches: Sequence[Batch], assigned: Sequence[BatchTargets]) -> HeadCount:
    """All batches of a run.

    Args:
        jobs: one a batch, all of one head. One job for several batches hands its state on.
    """
    count, state = HeadCount(jobs[0]), jobs[0].state
    for index, (job, batch, pair) in enumerate(zip(jobs, batches, assigned, strict=True)):
        if index and job is not jobs[index - 1]:
            state = job.state
        state = count.add(job, batch, pair.assignment, state)
    return count


def merged(counts: Sequence[HeadCount]) -> HeadCount:
    """Several counts of one head as one; they stay as they are."""
    whole = HeadCount(counts[0].job)
    for count in counts:
        whole.slots.extend(count.slots)
        whole.gradients.batches.extend(count.gradients.batches)
        whole.rows.update(count.rows)
        for name, value in count.terms.items():
            whole.terms[name] = whole.terms.get(name, 0.0) + value
        for mine, other in zip(whole.empty, count.empty, strict=True):
            mine.merge(other)
        for own, ranges in zip(whole.ranges, count.ranges, strict=True):
            for name, (low, high) in ranges.items():
                least, most = own.get(name, (low, high))
                own[name] = min(least, low), max(most, high)
        whole.costliest.merge(count.costliest)
        whole.reached.merge(count.reached)
    return whole
