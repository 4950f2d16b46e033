"""Dumps of a training in front of their own heads: what the trainer's loss was given, as a scene like any other."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from detloss_cli.errors import DetlossError
from detloss_cli.facts.heads import CHECKPOINT, DumpFacts, HeadFacts, ParityFacts, StepTermFacts
from detloss_cli.inputs.counts import LabelCounts
from detloss_cli.inputs.data_yaml import read_data
from detloss_cli.inputs.dataset import DataSet
from detloss_cli.inputs.dataspec import DataSpec, NamesSource
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.head import HeadSpec
from detloss_cli.inputs.hyp_yaml import HypFile
from detloss_cli.inputs.labels import Images, Labels
from detloss_cli.inputs.model_yaml import ModelFile
from detloss_cli.losses.term import LossBreakdown
from detloss_cli.measure.batches import Batch
from detloss_cli.measure.dump_job import batch_of, family_of, job_of, profile_of
from detloss_cli.measure.gradients import Norms
from detloss_cli.measure.head_count import HeadCount
from detloss_cli.measure.head_count import merged as merged_heads
from detloss_cli.measure.loss import LossCount, TermRows
from detloss_cli.measure.parity import Parity, compare
from detloss_cli.measure.preds import not_finite_fault
from detloss_cli.measure.run import Job
from detloss_cli.predictions.dump import Dump, read_dump
from detloss_cli.predictions.file_head import FilePredictions
from detloss_cli.predictions.finite import not_finite
from detloss_cli.predictions.head_file import HeadFile
from detloss_cli.rect_choice import why_not
from detloss_cli.resolve import Request, Setup
from detloss_cli.scene import Scene
from detloss_cli.targets.assignment import Assignment


@dataclass(frozen=True, slots=True)
class Step:
    """One dump ready to be computed. why: where its profile came from."""

    dump: Dump
    job: Job
    batch: Batch
    why: str


@dataclass(frozen=True, slots=True)
class Play:
    """All dumps of a run. staged: those that the scene shows. steps: those that can be computed, by step and rank.

    job: the first one's, with the predictions of all.
    """

    scene: Scene
    staged: tuple[Step, ...]
    steps: tuple[Step, ...]
    job: Job
    faults: tuple[Fault, ...]


def stage(request: Request, files: Sequence[HeadFile], device: torch.device) -> Play:
    """Dumps opened, checked, and put in order.

    Raises:
        DetlossError: a file among them is no dump, they are of different heads, or an option contradicts what they say.
    """
    for name, given in (("--hyp", request.hyp), ("--model", request.model), ("--imgsz", request.imgsz)):
        if given is not None:
            raise DetlossError("a dump says this itself", where=name, hint="leave it out")
    foreign = next((file.path for file in files if not file.is_dump), None)
    if foreign is not None:
        raise DetlossError("is no dump, but others in the folder are", where=foreign, hint="keep dumps and other files apart")
    dumps = sorted((read_dump(file) for file in files), key=lambda dump: (dump.about.step, dump.about.rank, dump.path))
    family = family_of(dumps[0], request.family)
    names = _names(request)
    faults = [fault for dump in dumps for fault in _not_finite(dump, family, names)]
    broken = {fault.path for fault in faults}
    steps: list[Step] = []
    for dump in dumps:
        if dump.path in broken and len(broken) < len(dumps):
            continue
        steps.append(_step(request, dump, steps, device))
    first = steps[0].job
    sources = {step.batch.first_image: step.job.preds for step in steps}
    job = replace(first, preds=lambda batch, assignment: sources[batch.first_image](batch, assignment))  # type: ignore[misc]
    kept = tuple(step for step in steps if step.dump.path not in broken)
    return Play(_scene(request, steps, names), tuple(steps), kept, job, tuple(faults))


def _names(request: Request) -> tuple[str, ...]:
    """Class names of DATA, where it is given beside the dumps."""
    return read_data(request.data[0], root=request.root, names=request.names, limits=request.limits)[0].names if request.data else ()


def _not_finite(dump: Dump, family: Any, names: Sequence[str]) -> list[Fault]:
    channels, paths = family.channels(dump.head), dump.about.paths or []
    return [
        not_finite_fault(
            dump.path,
            dump.head.levels[bad.level],
            bad,
            bad.image,
            os.path.basename(paths[bad.image]) if bad.image < len(paths) else "",
            channels,
            names,
            dump.half,
        )
        for bad in not_finite(dump.levels)
    ]


def _step(request: Request, dump: Dump, before: Sequence[Step], device: torch.device) -> Step:
    family = family_of(dump, request.family)
    profile, why = profile_of(dump, family, request.profile)
    job = job_of(dump, family, profile, device)
    if dump.about.balance is not None and getattr(job.hyp, "autobalance", False):
        job = replace(job, state=tuple(dump.about.balance[: len(dump.head.levels)]))
    if before:
        first = before[0].job
        if (family.ID, profile, dump.head) != (first.family.ID, first.profile, first.head):
            raise DetlossError(
                f"is of another head, release or input size than {before[0].dump.path}", where=dump.path, hint="compute them one at a time"
            )
    first_image = sum(step.dump.about.images for step in before)
    first_row = sum(len(step.dump.targets) for step in before)
    return Step(dump, job, batch_of(dump, family, first_image, first_row, device), why)


def _scene(request: Request, steps: Sequence[Step], names: tuple[str, ...]) -> Scene:
    """The targets of all steps as labels. A line is a row of a dump's targets."""
    first = steps[0]
    labels = _labels(steps, names or tuple(f"class_{index}" for index in range(first.job.head.num_classes)))
    counts = _counts(labels)
    folder = os.path.realpath(str(request.preds))
    folder = folder if os.path.isdir(folder) else os.path.dirname(folder)
    classes = first.job.head.num_classes
    source: NamesSource = "names" if names else "nc"
    spec = DataSpec(str(request.preds), folder, {}, labels.names, classes, source, "folder")
    dataset = DataSet(spec, (), "", labels, labels, (), (), counts, classes, source, True)
    head, family = first.job.head, first.job.family
    anchors = tuple(level.anchors for level in head.levels)
    model = ModelFile(HeadSpec("dump", family.ID, head.strides, anchors, classes, max(head.imgsz), head.reg_max, head.end2end), {}, ())
    said = "dump" if request.family == "auto" else "--family"
    origins = {"family": said, "profile": first.why, "model": "dump", "hyp": "default", "imgsz": "default"}
    setup = Setup(family, first.job.profile, "", model, HypFile("", {}, {}, ()), first.job.hyp, head.imgsz, origins, ())
    why = "" if first.dump.about.paths_are == "picture" else "with mosaic, only the first of four pictures is known"
    odd = why_not(request, head.imgsz, "letterbox") if request.rect else None
    return Scene(dataset, setup, head, "letterbox", why, labels, labels.boxes, (odd,) if odd is not None else ())


def _labels(steps: Sequence[Step], names: tuple[str, ...]) -> Labels:
    rows = [step.dump.targets.numpy() for step in steps]
    starts = [step.batch.first_image for step in steps]
    images = [np.full(step.dump.about.images, index) for index, step in enumerate(steps)]
    paths = [path for step in steps for path in (step.dump.about.paths or [step.dump.path] * step.dump.about.images)]
    files = tuple(steps[index].dump.path for index in np.concatenate(images).tolist())
    unknown = np.zeros(len(paths), dtype=np.int32)
    return Labels(
        np.concatenate([part[:, 0].astype(np.int64) + start for part, start in zip(rows, starts, strict=True)]),
        np.concatenate([part[:, 1].astype(np.int64) for part in rows]) % steps[0].job.head.num_classes,
        np.concatenate([part[:, 2:].astype(np.float32) for part in rows]),
        np.concatenate([np.arange(1, len(part) + 1, dtype=np.int32) for part in rows]),
        Images(tuple(paths), files, ("",) * len(paths), unknown, unknown),
        names,
    )


def _counts(labels: Labels) -> LabelCounts:
    images, boxes, labelled = len(labels.images), len(labels), len(np.unique(labels.image))
    return LabelCounts(images, labelled, images - labelled, 0, 0, boxes, boxes, boxes, 0, 0, {})


def merged(counts: Sequence[LossCount]) -> LossCount:
    """The counts of single steps as the count of a run."""
    whole = LossCount(counts[0].head, maps=[], balance=counts[0].balance, moved=counts[-1].moved)
    for count in counts:
        for key, rows in count.rows.items():
            whole.rows.setdefault(key, TermRows()).extend(rows)
        for level, targets in count.targets.items():
            whole.targets.setdefault(level, []).extend(targets)
        whole.factors.extend(count.factors)
        whole.maps.extend(count.maps)
    return whole


def dump_facts(step: Step, count: LossCount, head: HeadCount, assignment: Assignment, labels: Labels) -> DumpFacts:
    """One step: its totals, and the trainer's beside them.

    Args:
        head: of this step. assignment: of its targets. labels: of all steps.
    """
    about = step.dump.about
    parity = _parity(step) if about.loss is not None else None
    return DumpFacts(
        path=step.dump.path,
        step=about.step,
        epoch=about.epoch,
        rank=about.rank,
        trigger=about.trigger,
        images=about.images,
        boxes=len(step.dump.targets),
        dtype=str(step.dump.levels[0].dtype).removeprefix("torch."),
        totals=count.totals(),
        parity=None
        if parity is None
        else ParityFacts(parity.trainer, parity.own, parity.difference, parity.tolerance, parity.agrees, parity.explained),
        half=_in_half(step, assignment) if step.dump.half else None,
        terms=_step_terms(count, head.gradients.batches[0]),
        head=head.facts(labels, (about.step,)),
    )


def last_heads(steps: Sequence[Step], heads: Sequence[HeadCount], labels: Labels) -> HeadFacts:
    """What the head answers by now: in the last step on all ranks, or in every batch where a checkpoint was run over a split."""
    last = max(step.dump.about.step for step in steps)
    whole = all(step.dump.about.trigger == CHECKPOINT for step in steps)
    chosen = [(step, head) for step, head in zip(steps, heads, strict=True) if whole or step.dump.about.step == last]
    numbers = tuple(dict.fromkeys(step.dump.about.step for step, _ in chosen))
    return merged_heads([head for _, head in chosen]).facts(labels, () if whole else numbers)


def _step_terms(count: LossCount, gradients: Norms) -> tuple[StepTermFacts, ...]:
    """Level by level, in the family's order within one."""
    found = []
    for (term, level), rows in sorted(count.rows.items(), key=lambda item: -1 if item[0][1] is None else item[0][1]):
        norm = gradients.get((term, level or 0), 0.0)
        name = None if level is None else count.head.levels[level].name
        found.append(StepTermFacts(term, name, math.fsum(rows.values), norm if math.isfinite(norm) else None))
    return tuple(found)


def _in_half(step: Step, assignment: Assignment) -> dict[str, float] | None:
    """Totals in the 16 bits that the logits have, None where torch lacks an operation for them on this device."""
    job, dump = step.job, step.dump
    predictions = FilePredictions(dump.levels, 0, dump.about.images, dtype=dump.levels[0].dtype, device=job.device)
    count = LossCount(job.head)
    try:
        with torch.no_grad():
            count.add(job.family.loss(job.head, job.hyp, step.batch.targets, predictions, assignment, profile=job.profile, state=job.state))
    except RuntimeError:
        return None
    return count.totals()


def _parity(step: Step) -> Parity:
    job, about = step.job, step.dump.about

    def compute(hyp: Any, profile: str, state: Any) -> LossBreakdown:
        with torch.no_grad():
            other = replace(job, hyp=hyp, profile=profile)
            predictions = job.preds(step.batch, None) if job.preds is not None else None
            assignment = other.assign(step.batch, predictions)
            return job.family.loss(job.head, hyp, step.batch.targets, predictions, assignment, profile=profile, state=state)  # type: ignore[arg-type]

    if about.loss is None:
        raise ValueError("expected a dump with the trainer's loss")
    return compare(job.family, job.head, job.hyp, job.profile, job.state, about.loss, about.images, step.dump.levels[0].dtype, compute)


def differing(facts: Sequence[DumpFacts]) -> list[Fault]:
    """One fault for each step whose loss is not the trainer's."""
    found = []
    for one in facts:
        if one.parity is not None and not one.parity.agrees:
            trainer, own = one.parity.trainer["total"], one.parity.own["total"]
            words = f"step {one.step}: total {own:.7g}, the trainer has {trainer:.7g}; largest difference {one.parity.difference:.1e}"
            hint = f"it is {one.parity.explained}" if one.parity.explained else "no setting tried explains it"
            found.append(Fault("loss-differs-from-trainer", one.path, None, None, words, hint))
    return found
