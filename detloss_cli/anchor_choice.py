"""The anchors as the trainer will have them: its own set, a fit, or what AutoAnchor makes of the data."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from detloss_cli.errors import DetlossError
from detloss_cli.families.anchored import ANCHORED, Anchored
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.head import Level
from detloss_cli.inputs.limits import Limits
from detloss_cli.inputs.model_yaml import read_model_file
from detloss_cli.measure.anchor_fit import SMALLEST_PX, fit_anchors
from detloss_cli.measure.anchor_match import Matching, count_matches
from detloss_cli.measure.anchors import KEEPS, with_anchors
from detloss_cli.resolve import Request, Setup

Float = NDArray[np.float32]
PER_LEVEL, MOST_PER_LEVEL = 3, 20
WORDS = ("auto", "stock", "refit")
PLACEHOLDER = "trains on the placeholders 0x1, 2x3, 4x5 px, which match next to nothing"


@dataclass(frozen=True, slots=True)
class Task:
    """One fit. per_level: anchors. why: it is wanted. recall: best possible one of the present anchors, None without any."""

    matching: Matching
    per_level: int
    why: str
    recall: float | None


def with_chosen_anchors(request: Request, chosen: Setup, network: Float) -> Setup:
    """The setup with the anchors that were asked for, and a fault that says so where they are not the model's.

    auto: the stock set while its best possible recall is above 0.98, else a fit, if that is better. A head that has a number for anchors is
    always fitted. The fit is our own: upstream's varies from run to run.

    Args:
        network: (N, 4) boxes of the training split in 0..1 of the network input.

    Raises:
        DetlossError: the head has no anchors, FILE has others, or there are too few shapes for a fit.
    """
    mode = request.anchors
    family = ANCHORED.get(chosen.family.ID)
    spec = chosen.model.spec
    free = spec.anchors is not None and not any(spec.anchors)
    if family is None or free:
        if mode in (None, "auto", "stock"):
            return chosen
        raise DetlossError(f"{spec.name} has no anchors", where=f"--anchors {mode}", hint="leave it out for this head")
    if mode is not None and mode not in WORDS:
        return _from_file(chosen, mode, request.limits)
    number, why = _number(chosen, family)
    if mode == "stock" and why:
        raise DetlossError(f"{why}, so without AutoAnchor it {PLACEHOLDER}", where="--anchors stock", hint="--anchors auto fits them")
    if not why and mode in (None, "stock"):
        return chosen
    matching = Matching(family.test, float(getattr(chosen.hyp, family.key)) if family.key else 0.0)
    levels = spec.at(chosen.imgsz, 1).levels
    before = None if why else count_matches(network, levels, matching).recall
    if mode == "auto" and not why and (not family.auto or before is None or before > KEEPS):
        return _said(chosen, "stock" + (f": best possible recall {before:.4f} is above {KEEPS:g}" if family.auto and before else ""))
    return _fitted(request, chosen, network, levels, Task(matching, number, why or f"--anchors {mode}", before))


def _fitted(request: Request, chosen: Setup, network: Float, levels: tuple[Level, ...], task: Task) -> Setup:
    size_px = network[:, 2:] * np.asarray(chosen.imgsz[::-1], dtype=np.float32)
    usable = size_px[(size_px >= SMALLEST_PX).any(axis=1)]
    shapes, wanted = len(np.unique(usable, axis=0)), task.per_level * len(levels)
    if shapes < wanted:
        if request.anchors != "refit":
            return chosen  # the command says itself what it cannot do without anchors
        message = f"{shapes} boxes of different shape, and {wanted} anchors"
        raise DetlossError(message, where="--anchors refit", hint="stock, or a FILE with anchors")
    found = with_anchors(levels, fit_anchors(usable, wanted, task.matching, seed=request.seed))
    before, after = task.recall, count_matches(network, found, task.matching).recall
    if request.anchors == "auto" and before is not None and after is not None and after <= before:
        return _said(chosen, f"stock: best possible recall {before:.4f}, and a fit has no better one")
    move = f"best possible recall {before:.4f} -> {after:.4f}" if before is not None else f"best possible recall {after:.4f}"
    model = chosen.model
    where = model.spec.source if model.lines else f"--model {model.spec.name}"
    fault = Fault("anchors-fitted-here", where, model.lines.get("anchors"), None, task.why, move)
    return _with(chosen, tuple(level.anchors for level in found), f"fitted here ({task.why})", (fault,))


def _from_file(chosen: Setup, path: str, limits: Limits) -> Setup:
    try:
        file = read_model_file(path, limits)
    except DetlossError as error:
        raise DetlossError(error.message, where=f"--anchors {path}", hint="auto, stock, refit, or a yaml with anchors") from error
    anchors, levels = file.spec.anchors, len(chosen.model.spec.strides)
    if anchors is None or not any(anchors):
        raise DetlossError("no anchors in it", where=f"--anchors {path}", hint="anchors: with one row a level")
    if len(anchors) != levels:
        raise DetlossError(f"{len(anchors)} rows of anchors, and {levels} levels", where=f"--anchors {path}", hint="one row a level")
    turned = file.spec.strides[0] > file.spec.strides[-1] and chosen.model.spec.strides[0] < chosen.model.spec.strides[-1]
    return _with(chosen, anchors[::-1] if turned else anchors, f"of {path}", file.faults)


def _number(chosen: Setup, family: Anchored) -> tuple[int, str]:
    """Anchors a level of a fit, and why there has to be one, "" where there are anchors. The hyp's number wins over the model's."""
    spec, said = chosen.model.spec, chosen.hyp_file.values.get("anchors")
    if family.auto and isinstance(said, int | float) and not isinstance(said, bool) and math.isfinite(said) and said >= 1:
        return min(round(said), MOST_PER_LEVEL), f"hyp key anchors: {said}"
    if spec.anchors is not None:
        return len(spec.anchors[0]), ""
    token = next((fault.token for fault in chosen.model.faults if fault.kind == "model-anchors-fitted"), "")
    number = int(token) if token.isdecimal() and int(token) > 0 else PER_LEVEL
    return min(number, MOST_PER_LEVEL), "the head has a number for anchors"


def _said(chosen: Setup, why: str) -> Setup:
    return replace(chosen, origins={**chosen.origins, "anchors": why})


def _with(chosen: Setup, anchors: tuple[tuple[tuple[float, float], ...], ...], why: str, faults: tuple[Fault, ...]) -> Setup:
    model = replace(chosen.model, spec=replace(chosen.model.spec, anchors=anchors))
    return replace(_said(chosen, why), model=model, faults=(*chosen.faults, *faults))
