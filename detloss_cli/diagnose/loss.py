"""The commands without their dress: a request in, facts and findings out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from detloss_cli import reading
from detloss_cli import scene as scenes
from detloss_cli.checks.annotation_places import at_pictures
from detloss_cli.checks.facts_rule import apply
from detloss_cli.checks.heads import RULES as HEAD_RULES
from detloss_cli.checks.judge import judge
from detloss_cli.checks.labels import label_findings
from detloss_cli.checks.loss import RULES as LOSS_RULES
from detloss_cli.checks.targets import RULES as TARGET_RULES
from detloss_cli.diagnose.count import count_labels, count_pairs, hyp_used
from detloss_cli.diagnose.hyp import gain_facts
from detloss_cli.diagnose.left_out import without_left_out
from detloss_cli.errors import DetlossError
from detloss_cli.facts import Facts, ImageFacts
from detloss_cli.finding import Finding
from detloss_cli.inputs.ahead import let_go
from detloss_cli.inputs.fault import Fault
from detloss_cli.measure.box_groups import with_box_groups
from detloss_cli.measure.counted import Counted, host
from detloss_cli.measure.file_order import in_file_order
from detloss_cli.measure.groups import with_cost
from detloss_cli.measure.marks import MARKS, assumed, certain_head, mark_heads, what_if_heads
from detloss_cli.measure.plain import plain_pairs
from detloss_cli.measure.reach import reach_facts
from detloss_cli.reading import Read
from detloss_cli.resolve import Request, setup
from detloss_cli.scene import Scene

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from detloss_cli.facts.reach import ReachFacts
    from detloss_cli.inputs.dataset import DataSet
    from detloss_cli.inputs.head import Head
    from detloss_cli.measure.batches import Batch
    from detloss_cli.measure.run import Job
    from detloss_cli.predictions.head_file import HeadFile
    from detloss_cli.targets.assignment import Assignment

    Pairs = Iterable[tuple[Batch, Assignment]]

Outcome = tuple[Facts, list[Finding]]
EMPTY = "nothing-to-compute"


def inspect_hyp(request: Request) -> Outcome:
    """Every key of a hyp file, and the ledger that its gains end in."""
    from detloss_cli.diagnose.hyp import inspect_hyp as inspected

    return inspected(request)


def inspect_targets(request: Request, *, read: Read = reading.load, marks: bool = True) -> Outcome:
    """Positives per level, anchor and class; boxes without any, and why; collisions. read: as `compute` has it; there are no marks."""
    chosen = setup(request)
    pairs: Pairs
    if chosen.family.NEEDS_PREDICTIONS or request.preds is not None:
        from detloss_cli.measure.passes import held

        scene = _stage(request, read)
        job = _job(request, scene)
        run = held(job, _batches(request, scene, job))
        pairs = run.pairs()
        head = request.head if request.preds is None else None
        facts = _assigned(request, scene, count_pairs(scene, job.hyp, pairs), str(job.device), head)
        facts = replace(facts, reach=_reach(scene, job.hyp))
    else:
        scene = _with_anchors(without_left_out(scenes.stage(request, chosen, read)))
        hyp = hyp_used(request, scene)
        pairs = plain_pairs(chosen.family, chosen.profile, scene.head, hyp, scene.labels, scene.network, scene.parts)
        facts = _assigned(request, scene, count_labels(request, scene) or count_pairs(scene, hyp, pairs), "cpu", None)
    if request.image is not None:
        facts = replace(facts, image=_image(request.image, scene, facts, pairs))
    return _finished(request, scene, facts)


def _finished(request: Request, scene: Scene, facts: Facts) -> Outcome:
    """The facts with their groups, boxes in the order of the files, and what is to be said about them."""
    facts = with_box_groups(facts, scene.labels, request.by, request.top)
    return in_file_order(facts, scene.picture, scene.labels.image), judged(scene, facts)


def _reach(scene: Scene, hyp: Any) -> ReachFacts | None:
    """What labels alone decide, in a family that looks at predictions too."""
    chosen, labels = scene.setup, scene.labels
    if not hasattr(chosen.family, "open_slots"):
        return None

    def head(profile: str, imgsz: tuple[int, int]) -> Head:
        return replace(chosen, profile=profile, imgsz=imgsz).head(scene.head.num_classes)

    return reach_facts(chosen.family, chosen.profile, hyp, labels, chosen.imgsz, head, scene.views)


def compute(request: Request, *, read: Read = reading.load, marks: bool = True) -> Outcome:
    """The loss of a data set, term by term, between its marks. read: what reads the data set. marks: with those of the other heads."""
    files: Sequence[HeadFile] = ()
    if request.preds is not None:
        from detloss_cli.measure.preds import open_files, with_preds

        files = open_files(request.preds, request.limits.preds_bytes)
        if any(file.is_dump for file in files):
            let_go(request.scanner)  # of DATA only the names are read
            return _replayed(request, files)
    scene = _stage(request, read)
    count = count_labels(request, scene) if not files else None
    job = _job(request, scene)

    from detloss_cli.measure.box_loss import BoxLoss
    from detloss_cli.measure.head_count import read_heads
    from detloss_cli.measure.passes import held, passes_of

    if files:
        job, faults = with_preds(files, job, scene.labels.images, scene.labels.names)
        if faults:
            return _unusable(request, scene, job, faults)
    head = request.head if request.preds is None else "preds"
    run = passes_of(job, scene.labels, scene.network, request.batch_size, scene.parts)
    count = count or count_pairs(scene, job.hyp, run.pairs())
    facts = _assigned(request, scene, count, str(job.device), head if request.preds is None else None)
    if not len(run):
        return replace(facts, command="compute"), judged(scene, facts)
    by_box = BoxLoss(len(scene.labels)) if request.each_box or request.by is not None else None
    others = {**mark_heads(job), **certain_head(job)} if marks else {}
    takes = {"head": by_box} if by_box is not None else None
    counts = run.losses({"head": (head, job), **others, **what_if_heads(head, request.what_if, job)}, takes)
    by_mark = {name: counts[name].totals() for name in MARKS if marks}
    notes = assumed(counts) if marks else {}
    notes |= {"fl_gamma": job.hyp.fl_gamma} if getattr(job.hyp, "fl_gamma", 0) else {}
    loss = replace(counts["head"].facts(by_mark, notes), what_if={kind: counts[kind].totals() for kind in request.what_if})
    levels = counts["head"].levels(facts.levels or (), moving=getattr(job.hyp, "autobalance", False))
    maps = counts["head"].near_maps(facts.maps) if facts.maps is not None else None
    gains = tuple(gain_facts(gain, request.raw_gains) for gain in job.family.gain_ledger(scene.setup.hyp, job.head, job.profile))
    facts = replace(facts, assignment=with_cost(facts.assignment, by_mark["perfect"]) if marks else facts.assignment)
    own = by_box.facts(counts["head"]) if by_box is not None else None
    facts = replace(facts, command="compute", levels=levels, maps=maps, gains=gains, loss=loss, box_loss=own)
    if files:
        whole = held(job, _batches(request, scene, job))
        facts = replace(facts, head=read_heads([job] * len(whole), whole.batches, whole.assigned).facts(scene.labels))
    return _finished(request, scene, facts)


def _stage(request: Request, read: Read) -> Scene:
    """The data set in front of its head. A device that only torch can know of is asked for first."""
    if request.device not in ("auto", "cpu"):
        from detloss_cli.measure.device import pick

        pick(request.device)
    return _with_anchors(without_left_out(scenes.stage(request, setup(request), read)))


def _job(request: Request, scene: Scene) -> Job:
    import torch

    from detloss_cli.measure.device import pick
    from detloss_cli.measure.heads import HEADS
    from detloss_cli.measure.run import Job

    if request.head not in HEADS:
        raise DetlossError("unknown head", where=f"--head {request.head}", hint=f"one of {', '.join(HEADS)}")
    chosen = scene.setup
    return Job(chosen.family, chosen.profile, scene.head, hyp_used(request, scene), pick(request.device), torch.float32, request.seed)


def _with_anchors(scene: Scene) -> Scene:
    """The scene, if its head has anchors to assign to.

    Raises:
        DetlossError: the model file has a number in their place.
    """
    spec = scene.setup.model.spec
    if spec.anchors is None:
        message = "this head has a number for anchors: they have to be fitted first"
        raise DetlossError(message, where=f"--model {spec.name}", hint="inspect anchors fits them")
    return scene


def _replayed(request: Request, files: Sequence[HeadFile]) -> Outcome:
    """The loss of what a trainer recorded: its own targets and head outputs, and its own numbers beside."""
    from detloss_cli.diagnose import replay
    from detloss_cli.measure.box_loss import BoxLoss
    from detloss_cli.measure.device import pick
    from detloss_cli.measure.head_count import read_heads
    from detloss_cli.measure.passes import held
    from detloss_cli.measure.run import losses

    play = replay.stage(request, files, pick(request.device))
    scene, job = play.scene, play.job
    request = replace(request, batch_size=max(step.dump.about.images for step in play.staged))
    if not play.steps:
        return _unusable(request, scene, job, list(play.faults))
    run = held(job, [step.batch for step in play.steps])
    facts = _assigned(request, scene, count_pairs(scene, job.hyp, run.pairs()), str(job.device), None)
    parts = zip(play.steps, run.batches, run.assigned, strict=True)
    by_box = BoxLoss(len(scene.labels))
    single = [losses("preds", step.job, [batch], [pair], by_box) for step, batch, pair in parts]
    count = replay.merged(single)
    counts = run.losses({**mark_heads(job), **what_if_heads("preds", request.what_if, job)})
    others = {kind: counts[kind].totals() for kind in request.what_if}
    loss = replace(count.facts({name: counts[name].totals() for name in MARKS}, {}), what_if=others)
    heads = [read_heads([step.job], [step.batch], [pair]) for step, pair in zip(play.steps, run.assigned, strict=True)]
    dumps = tuple(
        replay.dump_facts(step, one, head, pair.assignment, scene.labels)
        for step, one, head, pair in zip(play.steps, single, heads, run.assigned, strict=True)
    )
    settings = replace(facts.settings, geometry="as recorded", gains="as recorded") if facts.settings is not None else None
    facts = replace(
        facts,
        command="compute",
        settings=settings,
        levels=count.levels(facts.levels or (), moving=getattr(job.hyp, "autobalance", False)),
        gains=tuple(gain_facts(gain, True) for gain in job.family.gain_ledger(job.hyp, job.head, job.profile)),
        loss=loss,
        box_loss=by_box.facts(count),
        dumps=dumps,
        head=replay.last_heads(play.steps, heads, scene.labels),
    )
    facts = with_box_groups(facts, scene.labels, request.by, request.top)
    return facts, [*judge(play.faults), *judge(replay.differing(dumps)), *judged(scene, facts)]


def _unusable(request: Request, scene: Scene, job: Job, faults: list[Fault]) -> Outcome:
    """A run that stops at its head outputs: what was read, and what is wrong with them."""
    facts = Facts(
        "compute",
        data=scenes.data_facts(request, scene.dataset),
        settings=scenes.settings(request, scene, device=str(job.device), dtype="float32", head=None),
        labels=scenes.label_facts(scene.dataset, scene.size_px, scene),
    )
    return facts, [*judge(faults), *judge(scene.faults)]


def _batches(request: Request, scene: Scene, job: Job) -> list[Batch]:
    from detloss_cli.measure.passes import formed

    return formed(job, scene.labels, scene.network, request.batch_size, scene.parts)


def _assigned(request: Request, scene: Scene, count: Counted, device: str, head: str | None) -> Facts:
    """What was assigned, with what it was assigned by."""
    from detloss_cli.families.hyp import hyp_keys

    chosen, size_px = scene.setup, scene.size_px
    return Facts(
        "inspect targets",
        data=scenes.data_facts(request, scene.dataset),
        settings=scenes.settings(request, scene, device=device, dtype="float32", head=head),
        labels=scenes.label_facts(scene.dataset, size_px, scene),
        levels=count.levels,
        maps=count.maps,
        assignment=count.assignment,
        boxes=count.boxes,
        collisions=count.collisions,
        keys={key.name: getattr(chosen.hyp, key.name) for key in hyp_keys(chosen.family.Hyp)},
    )


def _image(wanted: str, scene: Scene, facts: Facts, pairs: Pairs) -> ImageFacts:
    from detloss_cli.measure.image import find_image, image_facts

    index = find_image(wanted, scene.labels.images)
    rounding = getattr(scene.setup.family, "LETTERBOX", "floor")
    parts = [(batch.first_image, batch.rows.start, host(assignment)) for batch, assignment in pairs]
    reasons = dict(enumerate(facts.boxes.text)) if facts.boxes is not None else {}
    full = scene.head.imgsz
    imgsz = next((part.head.imgsz for part in scene.parts if index in part.images), full)
    levels = len(scene.head.levels)
    return image_facts(index, scene.labels, scene.network, imgsz, scene.geometry, rounding, parts, reasons, levels, full)


def judged(scene: Scene, facts: Facts) -> list[Finding]:
    """Findings of what these commands are about: settings and targets; label rows are judged by `inspect labels`."""
    from detloss_cli.checks.hyp_lint import lint
    from detloss_cli.families.hyp import hyp_keys

    chosen = scene.setup
    keys = hyp_keys(chosen.family.Hyp)
    linted = lint(chosen.hyp_file, chosen.family.ID, chosen.profile, keys) if chosen.origins["hyp"] != "default" else ()
    found = [*dict.fromkeys((*judge(scene.faults), *linted)), *apply((*TARGET_RULES, *LOSS_RULES, *HEAD_RULES), facts)]
    found = list(at_pictures(found, scene.dataset))
    return found if scene.dataset.counts.images else _why_empty(found, scene.dataset)


def _why_empty(found: list[Finding], dataset: DataSet) -> list[Finding]:
    """Of a data set without a picture, the errors that say why, and `nothing-to-compute` only where none does."""
    errors = [finding for finding in label_findings(dataset) if finding.severity == "error" and finding.rule != "no-images"]
    found = [*found, *errors]
    why = any(finding.severity == "error" and finding.rule != EMPTY for finding in found)
    return [finding for finding in found if not (why and finding.rule == EMPTY)]
