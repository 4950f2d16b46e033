"""`inspect anchors` without its dress: a request in, facts and findings out. Never imports torch."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from detloss_cli import scene as scenes
from detloss_cli.checks.anchors import RULES
from detloss_cli.checks.facts_rule import apply
from detloss_cli.checks.judge import judge
from detloss_cli.facts import AssignmentFacts, Facts
from detloss_cli.facts.anchors import AnchorFacts
from detloss_cli.families.anchored import ANCHORED, Anchored, anchored
from detloss_cli.finding import Finding
from detloss_cli.inputs.head import Head
from detloss_cli.measure.anchor_match import MatchCount, Matching
from detloss_cli.measure.anchors import AnchorTask, anchor_facts, assignment_facts, level_facts
from detloss_cli.measure.groups import with_groups
from detloss_cli.resolve import Request, Setup, setup
from detloss_cli.scene import Scene
from detloss_cli.targets.anchor_ratio import Mirror
from detloss_cli.targets.assignment import Targets
from detloss_cli.targets.ratio_reasons import ratio_reasons
from detloss_cli.targets.shape_reasons import shape_reasons

PER_LEVEL = 3  # anchors a level where nothing says another number
MOST_PER_LEVEL = 20


@dataclass(frozen=True, slots=True)
class Fit:
    """What the user asked of a fit. wanted: fit anchors although the head has some."""

    wanted: bool = False
    seed: int = 0
    generations: int = 1000


def inspect_anchors(request: Request, fit: Fit | None = None) -> tuple[Facts, list[Finding]]:
    """What the anchors of a head reach in a data set, and with a fit what others would.

    Raises:
        DetlossError: the family has no anchors, or the head does not belong to it.
    """
    fit = fit or Fit()
    chosen = setup(request)
    asked = "--family" if request.family != "auto" else f"--model {chosen.model.spec.name}"
    family = anchored(chosen.family.ID, asked)
    scene = scenes.stage(request, chosen)
    task = _task(chosen, family, fit)
    anchors, count, levels = anchor_facts(scene.network, scene.head, task)
    exact = chosen.profile not in family.uncounted and len(levels) > 0
    head = replace(scene.head, levels=levels)
    facts = Facts(
        "inspect anchors",
        data=scenes.data_facts(request, scene.dataset),
        settings=scenes.settings(request, scene, device="cpu", dtype="float32", head=None),
        labels=scenes.label_facts(scene.dataset, scene.size_px),
        levels=level_facts(levels, count) if exact else None,
        assignment=_assignment(scene, head, task.matching, count) if exact else None,
        anchors=replace(anchors, path=_source(chosen), line=chosen.model.lines.get("anchors")),
    )
    return facts, [*judge(scene.faults), *apply(RULES, facts)]


def anchors_of(scene: Scene) -> AnchorFacts | None:
    """The anchors of a scene that another command has staged, without a fit; None where head or family has none."""
    chosen = scene.setup
    family = ANCHORED.get(chosen.family.ID)
    if family is None or not any(chosen.model.spec.anchors or ()):
        return None
    anchors, _, _ = anchor_facts(scene.network, scene.head, replace(_task(chosen, family, Fit()), why=""))
    return replace(anchors, path=_source(chosen), line=chosen.model.lines.get("anchors"))


def _source(chosen: Setup) -> str | None:
    source = chosen.model.spec.source
    return None if source == "built in" else source


def _task(chosen: Setup, family: Anchored, fit: Fit) -> AnchorTask:
    threshold = float(getattr(chosen.hyp, family.key)) if family.key else 0.0
    mirror: Mirror = getattr(chosen.family.PROFILES[chosen.profile], "mirror", "complement")
    number, why = _number(chosen, family, fit)
    scale = chosen.hyp_file.values.get("scale")
    return AnchorTask(
        matching=Matching(family.test, threshold, mirror),
        key=family.key,
        reach=family.reach,
        auto=family.auto,
        per_level=number,
        why=why,
        scale=min(float(scale), 1.0) if _is_number(scale) and float(scale) > 0 else None,  # type: ignore[arg-type]
        seed=fit.seed,
        generations=fit.generations,
    )


def _number(chosen: Setup, family: Anchored, fit: Fit) -> tuple[int, str]:
    """Anchors a level of a fit, and why there is one; "" for none. The hyp's number wins over the model's, as in the trainer."""
    spec, said = chosen.model.spec, chosen.hyp_file.values.get("anchors")
    if family.auto and _is_number(said) and float(said) >= 1:  # type: ignore[arg-type]
        return min(round(float(said)), MOST_PER_LEVEL), f"hyp key anchors: {said}"  # type: ignore[arg-type]
    if spec.anchors is not None:
        return len(spec.anchors[0]), "--refit" if fit.wanted else ""
    token = next((fault.token for fault in chosen.model.faults if fault.kind == "model-anchors-fitted"), "")
    number = int(token) if token.isdecimal() and int(token) > 0 else PER_LEVEL
    return min(
        number, MOST_PER_LEVEL
    ), "the head has a number for anchors" if token or spec.source == "built in" else "no anchors could be read"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _assignment(scene: Scene, head: Head, matching: Matching, count: MatchCount) -> AssignmentFacts:
    found = assignment_facts(count, scene.size_px, _reasons(scene, head, matching, count))
    without = ~count.anchors.any(axis=1)
    return with_groups(found, scene.size_px[without], scene.labels.cls[without], scene.labels.names)


def _reasons(scene: Scene, head: Head, matching: Matching, count: MatchCount) -> dict[int, str]:
    """Key of each box that no anchor takes."""
    without = np.flatnonzero(~count.anchors.any(axis=1))
    if not len(without):
        return {}
    labels = scene.labels
    few = Targets(labels.image[without], labels.cls[without], scene.network[without], len(labels.images))
    explain = ratio_reasons if matching.test == "ratio" else shape_reasons
    found = explain(few, head.levels, matching.threshold, head.imgsz, np.arange(len(without)))
    return {int(without[index]): key for index, (key, _) in found.items()}
