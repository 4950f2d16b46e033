"""Rules that hold the figures of a run against bounds that a project sets, and against those of an earlier run."""

from __future__ import annotations

from collections.abc import Iterator

from detloss_cli.checks.facts_rule import FactsRule, Hit, facts_rule
from detloss_cli.checks.figures import figures, shares, worse
from detloss_cli.facts import Facts
from detloss_cli.inputs.nearest import nearest
from detloss_cli.inputs.thresholds import Bound

SHARE_HINT = "compute shows the ledger that it comes from"


def too_many_unassigned(facts: Facts) -> Iterator[Hit]:
    """More boxes than `max-unassigned` get no positive: they train nothing and count as background.

    The bound is a number of boxes or a part of those that the loader keeps: `max-unassigned: 0.5%`. `inspect targets` names each with its
    reason.
    """
    bound, assignment = facts.gate.thresholds.max_unassigned if facts.gate else None, facts.assignment
    if bound is not None and assignment is not None:
        yield from _above(bound, assignment.unassigned, assignment.boxes, "boxes get no positive", "inspect targets says why")


def too_few_positives(facts: Facts) -> Iterator[Hit]:
    """A level has fewer positives than `min-positives-per-level`.

    The bound is a number of positives or a part of those of all levels. A level with few of them weighs each one heavily in losses that are
    means by level: `explain level-weight`.
    """
    bound = facts.gate.thresholds.min_positives_per_level if facts.gate else None
    if bound is None or facts.assignment is None:
        return
    for level in facts.levels or ():
        wanted = bound.value * facts.assignment.positives if bound.share else bound.value
        if level.positives < wanted:
            message = f"{level.level} has {level.positives:,} positives, fewer than {bound.text}"
            yield Hit(message, "inspect anchors compares its anchors with the boxes")


def recall_below_bound(facts: Facts) -> Iterator[Hit]:
    """The best possible recall is below `min-bpr`: that part of the boxes has an anchor that may learn it.

    AutoAnchor of the trainers fits anchors anew below 0.98. `inspect anchors` shows a re-fit beside the present ones.
    """
    bound = facts.gate.thresholds.min_bpr if facts.gate else None
    recall = facts.assignment.best_possible_recall if facts.assignment else None
    if bound is not None and recall is not None and recall < bound.value:
        yield Hit(f"best possible recall is {recall:.5f}, below {bound.text}", "inspect anchors shows a better set", share=recall)


def too_many_collisions(facts: Facts) -> Iterator[Hit]:
    """More slots than `max-collisions` are claimed more than once.

    As a number it counts slots, as a part it is the positives that share their slot with another one, of all of them.
    """
    bound, assignment = facts.gate.thresholds.max_collisions if facts.gate else None, facts.assignment
    if bound is not None and assignment is not None:
        number = assignment.collision_rows if bound.share else assignment.collision_slots
        words = "positives share a slot" if bound.share else "slots are claimed more than once"
        yield from _above(bound, number or 0, assignment.positives, words, "inspect targets lists the pairs")


def too_many_lost_boxes(facts: Facts) -> Iterator[Hit]:
    """The loader loses more rows than `max-lost-boxes`: they are in the label files and never reach the loss.

    The bound is a number of rows or a part of all rows.
    """
    bound, labels = facts.gate.thresholds.max_lost_boxes if facts.gate else None, facts.labels
    if bound is not None and labels is not None:
        yield from _above(bound, labels.lost.rows, labels.rows, "rows never reach the loss", "inspect labels names them")


def share_above_bound(facts: Facts) -> Iterator[Hit]:
    """A term or a level makes up more of the loss than `max-share` allows: `max-share: {obj: 60%, P3: 70%}`.

    Of the loss at step 0 unless `--preds` or `--head` says otherwise.
    """
    yield from _shares(facts, upper=True)


def share_below_bound(facts: Facts) -> Iterator[Hit]:
    """A term or a level makes up less of the loss than `min-share` asks for: `min-share: {cls: 5%}`.

    A term that is 0 is one that nothing trains: one class, no positives, a gain of 0.
    """
    yield from _shares(facts, upper=False)


def figure_worse(facts: Facts) -> Iterator[Hit]:
    """A figure is worse than in the baseline.

    Figures are parts of a whole, so that more data alone changes none of them: boxes without a positive or without a slot, rows lost,
    positives that share a slot, best possible recall, positives a box by level. If the change is wanted, write the baseline again.
    """
    baseline = facts.gate.baseline if facts.gate else None
    if baseline is None:
        return
    now = figures(facts)
    for name, before in baseline.figures.items():
        if name in now and worse(name, before, now[name]):
            yield Hit(f"{name} was {_short(before)}, is {_short(now[name])}", "write the baseline again if this is wanted")


def setting_differs(facts: Facts) -> Iterator[Hit]:
    """A setting that the targets depend on is not that of the baseline: what was measured then is not what is measured now.

    Family, release, head, input size, loader, and the keys of the hyp that the loss reads.
    """
    if facts.gate is None or facts.gate.baseline is None:
        return
    for name, now in facts.gate.settings.items():
        before = facts.gate.baseline.settings.get(name)
        if before is not None and before != now:
            yield Hit(f"{name} was {before} in the baseline, is {now}", "write the baseline again if this is wanted")


def bound_names_nothing(facts: Facts) -> Iterator[Hit]:
    """A bound on a share names a term or level that this loss does not have, so it holds nothing.

    A gate that holds nothing passes for ever. Terms are those of the table's head, levels are P3, P4 and so on.
    """
    if facts.gate is None or facts.loss is None:
        return
    known = shares(facts)
    for what in dict.fromkeys((*facts.gate.thresholds.max_share, *facts.gate.thresholds.min_share)):
        if what not in known:
            near = nearest(what, known)
            yield Hit(f"no term or level is called {what}", f"did you mean {near}?" if near else f"one of {', '.join(known)}")


def _above(bound: Bound, number: int, whole: int, words: str, hint: str) -> Iterator[Hit]:
    share = number / whole if whole else 0.0
    if (share if bound.share else number) > bound.value:
        part = f" ({_percent(share)})" if whole else ""
        yield Hit(f"{number:,} {words}{part}, more than {bound.text}", hint, share=share)


def _shares(facts: Facts, *, upper: bool) -> Iterator[Hit]:
    if facts.gate is None or facts.loss is None:
        return
    found = shares(facts)
    for what, bound in (facts.gate.thresholds.max_share if upper else facts.gate.thresholds.min_share).items():
        share = found.get(what)
        if share is not None and (share > bound.value if upper else share < bound.value):
            side = "more" if upper else "less"
            yield Hit(f"{what} is {_percent(share)} of the loss, {side} than {bound.text}", SHARE_HINT, share=share)


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def _short(value: float) -> str:
    """Five digits that count."""
    return f"{value:.5g}"


RULES: tuple[FactsRule, ...] = (
    facts_rule("DET601", "error", too_many_unassigned),
    facts_rule("DET602", "error", too_few_positives),
    facts_rule("DET603", "error", recall_below_bound),
    facts_rule("DET604", "error", too_many_collisions),
    facts_rule("DET605", "error", too_many_lost_boxes),
    facts_rule("DET606", "error", share_above_bound),
    facts_rule("DET607", "error", share_below_bound),
    facts_rule("DET608", "error", figure_worse),
    facts_rule("DET609", "warning", setting_differs),
    facts_rule("DET610", "error", bound_names_nothing),
)
