"""`check` without its dress: everything that is known about a data set, held against bounds and against an earlier run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from detloss_cli import reading
from detloss_cli import scene as scenes
from detloss_cli.checks.anchors import RULES as ANCHOR_RULES
from detloss_cli.checks.facts_rule import apply
from detloss_cli.checks.hyp_lint import lint
from detloss_cli.checks.judge import judge
from detloss_cli.checks.known import fresh, known
from detloss_cli.checks.labels import label_findings
from detloss_cli.checks.splits import RULES as SPLIT_RULES
from detloss_cli.checks.thresholds import RULES
from detloss_cli.diagnose.anchors import anchors_of
from detloss_cli.diagnose.count import count_labels, count_pairs, hyp_used
from detloss_cli.diagnose.left_out import without_left_out
from detloss_cli.diagnose.loss import judged
from detloss_cli.facts import Facts
from detloss_cli.facts.gate import GateFacts
from detloss_cli.finding import Finding
from detloss_cli.inputs.baseline import Baseline
from detloss_cli.inputs.thresholds import Thresholds
from detloss_cli.measure.counted import Counted
from detloss_cli.measure.file_order import in_file_order
from detloss_cli.resolve import Request, Setup, setup

if TYPE_CHECKING:
    from detloss_cli.measure.run import Job
    from detloss_cli.scene import Scene

# What can only be said about all files of a data set.
WHOLE = frozenset({*(rule.name for rule in SPLIT_RULES), "no-images", "no-labels"})
EMPTY = "nothing-to-compute"
Outcome = tuple[Facts, list[Finding]]


@dataclass(frozen=True, slots=True)
class Gate:
    """thresholds: bounds on the figures. baseline: of an earlier run. new_only: only findings that it lacks count, no figure does.
    remember: say which findings there are, for a baseline to write."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    baseline: Baseline | None = None
    new_only: bool = False
    remember: bool = False


def check(request: Request, gate: Gate) -> Outcome:
    """Everything as a gate.

    Every split is read, each file once; targets are those of the split that is trained. torch is loaded only where a bound on shares or
    `--preds` asks for a loss, or the family assigns by predictions. Single files are judged row by row, without targets and bounds.
    """
    chosen = setup(request)
    if request.files:
        return _held(*_files(request, chosen), chosen, gate, figures=False)
    dataset, faults = reading.load(request, splits=None, loader=chosen.loader, sizes=request.geometry in (None, "letterbox"))
    scene = without_left_out(scenes.staged(request, chosen, dataset, faults))
    trained = scene.only(_splits(request, dataset.splits))
    facts, findings = _measured(request, trained, loss=gate.thresholds.needs_loss or request.preds is not None)
    labels = scenes.label_facts(dataset, scene.size_px, scene)
    facts = replace(facts, data=scenes.data_facts(request, dataset), labels=labels, anchors=anchors_of(trained.whole()))
    findings += [*label_findings(dataset, imgsz=max(chosen.imgsz)), *judged(trained, facts), *apply(ANCHOR_RULES, facts)]
    facts = in_file_order(facts, trained.picture, trained.labels.image)
    return _held(facts, _causes(findings), chosen, gate, figures=True)


def _causes(findings: list[Finding]) -> list[Finding]:
    """Without `nothing-to-compute` where another error says why there is nothing."""
    errors = {finding.rule for finding in findings if finding.severity == "error"}
    return [finding for finding in findings if finding.rule != EMPTY or errors == {EMPTY}]


def settings_of(chosen: Setup) -> dict[str, str]:
    """What the figures depend on, as text: the choices, and the keys that the family's loss reads."""
    from detloss_cli.families.hyp import hyp_keys

    height, width = chosen.imgsz
    named = {
        "family": chosen.family.ID,
        "profile": chosen.profile,
        "loader": chosen.loader,
        "model": chosen.model.spec.name,
        "imgsz": f"{height}x{width}",
    }
    named |= {"rect": "true"} if chosen.rect else {}
    return named | {f"hyp/{key.name}": f"{getattr(chosen.hyp, key.name)}" for key in hyp_keys(chosen.family.Hyp)}


def _splits(request: Request, present: tuple[str, ...]) -> tuple[str, ...]:
    """The splits whose targets count: those asked for, else what is trained.

    Raises:
        DetlossError: one that the data set does not have.
    """
    if request.split in (None, "", "all"):
        return ("train",) if "train" in present and request.split != "all" else present
    wanted = tuple(str(request.split).split(","))
    reading.refuse_splits(request, wanted, present)
    return wanted


def _files(request: Request, chosen: Setup) -> Outcome:
    dataset, faults = reading.load(request, splits=None, loader=chosen.loader, sizes=False)
    scene = scenes.staged(request, chosen, dataset, faults)
    facts = Facts("check", data=scenes.data_facts(request, dataset), labels=scenes.label_facts(dataset, scene.size_px))
    found = label_findings(dataset, imgsz=max(chosen.imgsz))
    return facts, [*judge(faults), *_linted(chosen), *(finding for finding in found if finding.rule not in WHOLE)]


def _linted(chosen: Setup) -> Iterator[Finding]:
    """What is odd about a hyp that was named; nothing about the family's own."""
    from detloss_cli.families.hyp import hyp_keys

    if chosen.origins["hyp"] != "default":
        yield from judge(chosen.faults)
        yield from lint(chosen.hyp_file, chosen.family.ID, chosen.profile, hyp_keys(chosen.family.Hyp))


def _measured(request: Request, scene: Scene, *, loss: bool) -> Outcome:
    """Positives, and where it is asked for the loss with its shares; findings about head outputs that cannot be used."""
    chosen = scene.setup
    if chosen.model.spec.anchors is None:  # they are fitted before training; until then there is nothing to assign to
        return _facts(request, scene, None, "cpu"), []
    if loss or chosen.family.NEEDS_PREDICTIONS:
        return _with_torch(request, scene, loss=loss)
    return _facts(request, scene, count_labels(request, scene), "cpu"), []


def _facts(request: Request, scene: Scene, count: Counted | None, device: str) -> Facts:
    """What was assigned; only the settings where nothing was."""
    settings = scenes.settings(request, scene, device=device, dtype="float32", head=None)
    if count is None:
        return Facts("check", settings=settings)
    return Facts(
        "check",
        settings=settings,
        levels=count.levels,
        maps=count.maps,
        assignment=count.assignment,
        boxes=count.boxes,
        collisions=count.collisions,
    )


def _with_torch(request: Request, scene: Scene, *, loss: bool) -> Outcome:
    counts = count_labels(request, scene) if request.preds is None else None

    import torch

    from detloss_cli.measure.device import pick
    from detloss_cli.measure.passes import passes_of
    from detloss_cli.measure.run import Job

    chosen, head = scene.setup, scene.head
    hyp = hyp_used(request, scene)
    job = Job(chosen.family, chosen.profile, head, hyp, pick(request.device), torch.float32, request.seed)
    findings: list[Finding] = []
    if request.preds is not None:
        job, findings = _with_preds(request, scene, job)
    run = passes_of(job, scene.labels, scene.network, request.batch_size, scene.parts)
    facts = _facts(request, scene, counts or count_pairs(scene, hyp, run.pairs()), str(job.device))
    if not loss or findings or not len(run):
        return facts, findings
    count = run.losses({"head": (request.head if request.preds is None else "preds", job)})["head"]
    levels = count.levels(facts.levels or (), moving=getattr(hyp, "autobalance", False))
    return replace(facts, levels=levels, loss=count.facts({}, {})), findings


def _with_preds(request: Request, scene: Scene, job: Job) -> tuple[Job, list[Finding]]:
    """The job with the head outputs of `--preds`; without them, and why, where they are not finite."""
    from detloss_cli.measure.preds import fit, not_finite_faults, open_files

    shapes = [level.shape for level in job.family.prior(job.head, job.hyp, job.profile)]
    images = scene.labels.images
    opened = fit(open_files(str(request.preds), request.limits.preds_bytes), job.head, shapes, len(images), job.device)
    findings = list(judge(not_finite_faults(opened, job.head, job.family.channels(job.head), images, scene.labels.names)))
    return (job if findings else replace(job, preds=opened)), findings


def _held(facts: Facts, findings: list[Finding], chosen: Setup, gate: Gate, *, figures: bool) -> Outcome:
    """Facts and findings against the bounds and the baseline. figures: they are those of the whole data set."""
    findings, gone, suppressed = list(dict.fromkeys(findings)), 0, 0
    root = facts.data.root if facts.data is not None else None
    seen = known(findings, root) if gate.remember else {}
    if gate.baseline is not None:
        findings, suppressed, gone = fresh(findings, root, gate.baseline.known)
    judging = figures and not gate.new_only
    held = GateFacts(
        thresholds=gate.thresholds if judging else Thresholds(),
        settings=settings_of(chosen),
        baseline=gate.baseline if judging else None,
        known=suppressed,
        gone=gone if figures else 0,
        seen=seen,
    )
    facts = replace(facts, gate=held)
    return facts, [*findings, *apply(RULES, facts)]
