"""One or two settings at several values, the labels read once where the loader is the same."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal, InvalidOperation

from detloss_cli.diagnose.loss import Outcome
from detloss_cli.errors import DetlossError
from detloss_cli.facts import Facts
from detloss_cli.facts.sweep import SweepFacts, SweepPoint
from detloss_cli.inputs.nearest import nearest
from detloss_cli.resolve import TRAINERS, Request, Setup, setup

# What makes a request of some values by key; a key that is left out stays as it is.
Make = Callable[[Mapping[str, str]], Request]
Run = Callable[[Request], Outcome]
Axis = tuple[str, tuple[str, ...]]


def hyp_value(key: str, text: str, base: Setup) -> float | int:
    """A value of a hyp key, in the type that the family's record has for it.

    Raises:
        DetlossError: the family has no such key, or the value is no number of its kind.
    """
    from detloss_cli.checks.hyp_facts import dead_of

    where = f"--sweep {key}"
    known = [field.name for field in fields(base.family.Hyp)]
    dead = dead_of(base.family.ID, base.profile)
    if key in dead:
        raise DetlossError(f"has no effect: {dead[key]}", where=where, hint="sweep another key, or take another --profile")
    if key not in known:
        near = nearest(key, [*OPTIONS, *known])
        what = f"{base.family.ID} has no such key, and no option is called so"
        raise DetlossError(what, where=where, hint=f"did you mean {near}?" if near else f"one of {', '.join([*OPTIONS, *known])}")
    present = getattr(base.family.Hyp(), key)
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("nan")
    if not number.is_finite() or isinstance(present, bool | str) or (isinstance(present, int) and number != int(number)):
        what = "a whole number" if isinstance(present, int) and not isinstance(present, bool) else "a number"
        held = "it holds words" if isinstance(present, bool | str) else f"{text!r} is not {what}"
        raise DetlossError(held, where=where, hint="a sweep of a hyp key takes numbers: anchor_t=2:8:0.5")
    return int(number) if isinstance(present, int) else float(number)


OPTIONS = ("imgsz", "model", "trainer", "profile", "loader", "family", "hyp", "geometry", "anchors", "head")


def swept(axes: Sequence[Axis], base: Request, facts: Facts, make: Make, run: Run) -> SweepFacts:
    """The figures at every combination, and at the present one.

    Args:
        axes: keys and their values as written. base, facts: what the command computes without the sweep.
        make, run: from values to a request, and from that to facts.

    Raises:
        DetlossError: a value means nothing, or none of them can be computed.
    """
    chosen = setup(base)
    whole = [(key, _with_present(key, values, base, chosen, make)) for key, values in axes]
    points = []
    for values in itertools.product(*(shown for _, shown in whole)):
        taken = {key: value for (key, _), (value, stays) in zip(whole, values, strict=True) if not stays}
        shown = tuple(value for value, _ in values)
        points.append(_point(shown, taken, base, chosen, facts, make, run))
    wrong = [point.error for point in points if point.error is not None]
    if len(wrong) >= len(points) - 1 and len(wrong):
        raise DetlossError(f"nothing to show: {wrong[0]}", where=f"--sweep {axes[0][0]}", hint="give other values")
    return SweepFacts(tuple(key for key, _ in axes), tuple(points))


def _with_present(key: str, values: Sequence[str], base: Request, chosen: Setup, make: Make) -> list[tuple[str, bool]]:
    """Each value, and whether it stands for what there is; that comes in front, or in its place among numbers, if none does."""
    found = [(value, False) for value in values]
    each = [make({key: value}) for value in values]
    same = [_same(one, setup(one), base, chosen) for one in each]  # all of them: a wrong word is said before anything is computed
    if any(same):
        return found
    label = _label(key, base, chosen)
    if all(_number(value) is not None for value in (*values, label)):
        return sorted([*found, (label, True)], key=lambda pair: _number(pair[0]) or Decimal(0))
    return [(label, True), *found]


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _same(one: Request, one_setup: Setup, other: Request, other_setup: Setup) -> bool:
    """Whether two requests come to the same."""

    def told(request: Request, chosen: Setup) -> tuple[object, ...]:
        named = (chosen.family.ID, chosen.profile, chosen.loader, chosen.model.spec, chosen.imgsz, chosen.hyp)
        return (*named, request.geometry or "letterbox", request.anchors, request.head)

    return told(one, one_setup) == told(other, other_setup)


def _label(key: str, request: Request, chosen: Setup) -> str:
    """What a key is now."""
    if key == "imgsz":
        return "x".join(str(side) for side in dict.fromkeys(chosen.imgsz))
    if key == "trainer":
        trained = (chosen.family.ID, chosen.profile, chosen.loader)
        return next((name for name, means in TRAINERS.items() if means == trained), f"{chosen.family.ID} {chosen.profile}")
    plain = {
        "model": chosen.model.spec.name,
        "profile": chosen.profile,
        "loader": chosen.loader,
        "family": chosen.family.ID,
        "hyp": request.hyp or chosen.family.HYP,
        "geometry": request.geometry or "letterbox",
        "anchors": request.anchors or chosen.origins.get("anchors", "") or "stock",
        "head": request.head,
    }
    return plain[key] if key in plain else f"{getattr(chosen.hyp, key):g}"


def _point(
    shown: tuple[str, ...], taken: Mapping[str, str], base: Request, chosen: Setup, facts: Facts, make: Make, run: Run
) -> SweepPoint:
    request = make(taken)
    try:
        present = _same(request, setup(request), base, chosen)
        found = facts if present else run(request)[0]
    except DetlossError as error:
        return SweepPoint(shown, False, error=error.message)
    assignment = found.assignment
    if assignment is None:
        return SweepPoint(shown, present, error="nothing was assigned")
    return SweepPoint(
        values=shown,
        present=present,
        boxes=assignment.boxes,
        unassigned=assignment.unassigned,
        share=assignment.unassigned / assignment.boxes if assignment.boxes else None,
        positives=assignment.positives,
        per_box=assignment.per_box_mean,
        best_possible_recall=assignment.best_possible_recall,
        lost=found.labels.lost.rows if found.labels is not None else None,
        by_reason=assignment.by_reason,
        levels={level.level: level.positives for level in found.levels or ()},
        totals=found.loss.totals if found.loss is not None else None,
        by_head=setup(request).family.NEEDS_PREDICTIONS,
    )
