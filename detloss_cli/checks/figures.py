"""The few figures of a run that are worth holding on to, from one run to the next."""

from __future__ import annotations

import math

from detloss_cli.facts import Facts

# Which way a figure gets worse: +1 if it grows.
WORSE = {
    "lost-boxes": 1,
    "unassigned": 1,
    "without-slot": 1,
    "collisions": 1,
    "bpr": -1,
    "positives-per-box": -1,
}


def figures(facts: Facts) -> dict[str, float]:
    """Parts of a whole, so that more data alone changes none of them: rows lost of rows, boxes without a positive and without a slot of
    boxes, positives that share a slot of positives, best possible recall; positives a box, in all and by level; of a loss the share of each
    term and level.
    """
    found: dict[str, float] = {}
    if facts.labels is not None and facts.labels.rows:
        found["lost-boxes"] = facts.labels.lost.rows / facts.labels.rows
    assignment = facts.assignment
    if assignment is not None and assignment.boxes:
        found["unassigned"] = assignment.unassigned / assignment.boxes
        found["without-slot"] = (assignment.boxes_without_slot or 0) / assignment.boxes
        found["collisions"] = (assignment.collision_rows or 0) / max(1, assignment.positives)
        found["positives-per-box"] = assignment.positives / assignment.boxes
        if assignment.best_possible_recall is not None:
            found["bpr"] = assignment.best_possible_recall
        found |= {f"positives-per-box/{level.level}": level.positives / assignment.boxes for level in facts.levels or ()}
    found |= {f"share/{what}": share for what, share in shares(facts).items()}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def shares(facts: Facts) -> dict[str, float]:
    """Of the total loss: `obj`, `P3` and `obj/P3`."""
    found: dict[str, float] = {}
    for term in facts.loss.terms if facts.loss is not None else ():
        if term.share is None:
            continue
        names = [term.name] if term.level is None else [term.name, term.level, f"{term.name}/{term.level}"]
        for name in names:
            found[name] = found.get(name, 0.0) + term.share
    return found


def worse(name: str, before: float, now: float) -> bool:
    """True if a figure moved in the direction that costs; float32 dust is no move."""
    direction = WORSE.get(name.partition("/")[0], 0)
    return direction * (now - before) > 1e-9
