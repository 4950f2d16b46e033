"""Runs beside one another: which boxes gained or lost positives, and which settings, keys and rows differ."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detloss_cli import families
from detloss_cli.checks.hyp_facts import FACTS, NO_FACTS
from detloss_cli.facts import BoxFacts, Facts
from detloss_cli.facts.compare import CHANGES, BoxChange, BoxMoves, Change, CompareFacts, KeyMoves
from detloss_cli.families.hyp import hyp_keys
from detloss_cli.inputs.relative import relative

MOST_LISTED = 1000  # boxes of a run that are listed; all are counted
SAME_SCALE = 2.0  # a gain within this factor of what a family takes means the same there
SHOWN = ("family", "profile", "loader", "model", "hyp", "imgsz", "num_classes", "geometry", "batch_size", "dtype", "head", "preds", "gains")


def compared(option: str, runs: Sequence[tuple[str, Facts]], listed: int = MOST_LISTED) -> CompareFacts[Facts]:
    """The facts of two or more runs as one.

    Args:
        option: the one that differs, "" for saved runs. runs: name and facts of each. listed: boxes that are named.
    """
    facts = [one for _, one in runs]
    return CompareFacts(
        option=option,
        runs=tuple((name, replace(one, boxes=None, box_loss=None, collisions=None)) for name, one in runs),
        settings=tuple(_settings(facts)),
        keys=tuple(_keys(facts)),
        lost=_lost(facts),
        moves=tuple(_moves(number, facts[0], other, listed) for number, other in enumerate(facts[1:], 1)),
        by_head=tuple(_by_head(one) for one in facts),
    )


def _by_head(run: Facts) -> bool:
    known = run.settings is not None and run.settings.family in families.MODULES
    return known and run.settings is not None and families.load(run.settings.family).NEEDS_PREDICTIONS


def _settings(runs: Sequence[Facts]) -> list[tuple[str, tuple[str, ...]]]:
    """Those that differ, as text; a file by its name."""
    found = []
    for key in SHOWN:
        texts = tuple(_text(key, getattr(one.settings, key)) if one.settings is not None else "" for one in runs)
        if len(set(texts)) > 1:
            found.append((key, texts))
    anchors = tuple("; ".join(str(level.anchors) for level in one.levels or ()) for one in runs)
    if len(set(anchors)) > 1 and len({one.settings.model for one in runs if one.settings is not None}) == 1:
        found.append(("anchors", tuple(one.settings.origins.get("anchors", "") if one.settings is not None else "" for one in runs)))
    commands = tuple(one.command for one in runs)
    return found + ([("command", commands)] if len(set(commands)) > 1 else [])


def _text(key: str, value: object) -> str:
    if isinstance(value, tuple):
        return "x".join(str(side) for side in dict.fromkeys(value))
    return os.path.basename(str(value)) if key in ("hyp", "preds") and value else str(value or "")


def _lost(runs: Sequence[Facts]) -> dict[str, tuple[int, ...]]:
    """Rows that a loader does not keep, by rule, most first, where that differs."""
    rules = [one.labels.lost.by_rule if one.labels is not None else {} for one in runs]
    rows = {rule: tuple(own.get(rule, 0) for own in rules) for rule in dict.fromkeys(rule for own in rules for rule in own)}
    return {rule: row for rule, row in sorted(rows.items(), key=lambda item: (-max(item[1]), item[0])) if len(set(row)) > 1}


def _keys(runs: Sequence[Facts]) -> list[KeyMoves]:
    """Keys of the hyp that not all runs read, or not with the same effect; gains first."""
    told = all(one.gains is not None for one in runs)  # a run without a loss has no ledger, and that is no difference
    gains = [{gain.key: gain for gain in one.gains or ()} if told else {} for one in runs]
    names = dict.fromkeys([*(key for own in gains for key in own), *(key for one in runs for key in one.keys or {})])
    found = []
    for key in names:
        if not key:
            continue
        hyp = tuple(own[key].hyp if key in own else (one.keys or {}).get(key) for one, own in zip(runs, gains, strict=True))
        used = tuple(own[key].used if key in own else None for own in gains)
        every = [_note(key, (hyp[0], used[0]), (hyp[number], used[number]), runs[0], other) for number, other in enumerate(runs[1:], 1)]
        notes = [note for note in every if note is not None]
        if len(set(hyp)) > 1 or len(set(used)) > 1 or notes:
            words = "; ".join(dict.fromkeys(note.text for note in notes))
            found.append(KeyMoves(key, hyp, used, words, any(note.off_scale for note in notes)))
    return found


@dataclass(frozen=True, slots=True)
class _Note:
    """text: what is odd. off_scale: as `KeyMoves`."""

    text: str
    off_scale: bool = False


def _note(key: str, before: tuple[object, object], after: tuple[object, object], one: Facts, other: Facts) -> _Note | None:
    """What a key of the first run would do in the second, where that is another family.

    Args:
        before, after: what the file says and what is used.
    """
    (first, used), (second, used_there) = before, after
    if one.settings is None or other.settings is None or one.settings.family == other.settings.family:
        return None
    name = other.settings.family
    if second is None or first is None:
        return None
    typical = FACTS.get(name, NO_FACTS).typical.get(key)
    if typical is None or not isinstance(first, int | float) or not first:
        meanings = [_meaning(key, side.family) for side in (one.settings, other.settings)]
        return _Note(f"in {name}: {meanings[1]}") if meanings[0] != meanings[1] else None
    factor = typical / float(first)
    if 1 / SAME_SCALE < factor < SAME_SCALE:
        scaling = _scaling(key, [(one, first, used), (other, second, used_there)])
        return _Note(scaling) if scaling else None
    size = f"{factor:.3g}x too small" if factor > 1 else f"{1 / factor:.3g}x too large"
    return _Note(f"{float(first):g} is {size} for {name}", off_scale=True)


def _meaning(key: str, family: str) -> str:
    if family not in families.MODULES:
        return ""
    meaning = next((one.meaning for one in hyp_keys(families.load(family).Hyp) if one.name == key), "")
    return meaning.partition(";")[0].partition(",")[0]


def _scaling(key: str, sides: Sequence[tuple[Facts, object, object]]) -> str:
    """`x .15 before use, x 1 in yolov8`, where the same number is scaled in other ways."""
    factors = [used / hyp for _, hyp, used in sides if isinstance(hyp, int | float) and isinstance(used, int | float) and hyp]
    if len(factors) < len(sides) or abs(factors[1] - factors[0]) < 1e-9:
        return ""
    names = [one.settings.family if one.settings is not None else "" for one, _, _ in sides]
    return f"{names[0]} scales it by {factors[0]:.3g}, {names[1]} by {factors[1]:.3g}"


def _moves(number: int, first: Facts, other: Facts, listed: int) -> BoxMoves:
    if first.boxes is None or other.boxes is None:
        return BoxMoves(number, 0, 0, dict.fromkeys(CHANGES, 0), ())
    one_class = {one.settings.num_classes == 1 for one in (first, other) if one.settings is not None} == {True, False}
    ours, theirs = _identities(first, other, with_class=not one_class)
    _, here, there = np.intersect1d(ours, theirs, assume_unique=True, return_indices=True)
    in_order = np.argsort(here)
    here, there = here[in_order], there[in_order]
    gone = np.setdiff1d(np.arange(len(ours)), here, assume_unique=True).tolist()
    new = np.setdiff1d(np.arange(len(theirs)), there, assume_unique=True).tolist()
    before, after = first.boxes.positives.sum(axis=1), other.boxes.positives.sum(axis=1)
    was, now = before[here], after[there]
    chosen: dict[Change, NDArray[np.bool_]] = {
        "lost": (was > 0) & (now == 0),
        "gained": (was == 0) & (now > 0),
        "fewer": (now < was) & (now > 0),
        "more": (now > was) & (was > 0),
    }
    pairs: dict[Change, list[tuple[int | None, int | None]]] = {"only_first": [], "only_second": []}
    for change, mask in chosen.items():
        order = np.argsort(-np.abs(was - now)[mask], kind="stable")
        pairs[change] = list(zip(here[mask][order].tolist(), there[mask][order].tolist(), strict=True))
    pairs["only_first"].extend((index, None) for index in sorted(gone, key=lambda index: before[index] == 0))
    pairs["only_second"].extend((None, index) for index in new)
    every = [(change, pair) for change in CHANGES for pair in pairs[change]]
    return BoxMoves(
        run=number,
        both=len(here),
        same=int((was == now).sum()),
        counts={change: len(pairs[change]) for change in CHANGES},
        boxes=tuple(_change(change, first, other, *pair) for change, pair in every[:listed]),
    )


def _identities(first: Facts, other: Facts, *, with_class: bool) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A number for each box of both runs, the same for the same file, line, class, and place among those that are alike in all three."""
    files: dict[str, int] = {}
    sides = [_columns(one, files, with_class) for one in (first, other)]
    ids = np.zeros(sum(len(lines) for _, lines, _ in sides), dtype=np.int64)
    for number in range(3):
        _, rank = np.unique(np.concatenate([side[number] for side in sides]), return_inverse=True)
        _, ids = np.unique(ids * (int(rank.max(initial=0)) + 1) + rank, return_inverse=True)
    here, there = ids[: len(sides[0][1])], ids[len(sides[0][1]) :]
    places = [_places(own) for own in (here, there)]
    most = max(int(place.max(initial=0)) for place in places) + 1
    return here * most + places[0], there * most + places[1]


def _columns(facts: Facts, files: dict[str, int], with_class: bool) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """(N,) number of the file, line and class. files: the number of each path below the root, which takes new ones."""
    boxes, root = facts.boxes, facts.data.root if facts.data is not None else ""
    if boxes is None:
        raise ValueError("expected a run with boxes, got none")
    used, of_box = np.unique(boxes.path.image, return_inverse=True)
    numbers = np.asarray([files.setdefault(relative(boxes.path.texts[image], root), len(files)) for image in used.tolist()], dtype=np.int64)
    return numbers[of_box], boxes.line, boxes.cls if with_class else boxes.cls * 0


def _places(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N,) how many boxes of the same number stand before each."""
    order = np.argsort(ids, kind="stable")
    ordered = ids[order]
    starts = np.searchsorted(ordered, ordered)
    found = np.empty_like(ids)
    found[order] = np.arange(len(ids)) - starts
    return found


def _change(change: Change, first: Facts, other: Facts, here: int | None, there: int | None) -> BoxChange:
    sides = ((first, here), (other, there))
    (facts, index), *_ = [(one, at) for one, at in sides if at is not None]
    boxes = facts.boxes
    if boxes is None or index is None:
        raise ValueError("expected a box of at least one run, got none")
    counts = [int(one.boxes.positives[at].sum()) if at is not None and one.boxes is not None else None for one, at in sides]
    reasons = [one.boxes.text[at] if at is not None and one.boxes is not None else "" for one, at in sides]
    return BoxChange(
        change=change,
        path=relative(boxes.path[index], facts.data.root if facts.data is not None else ""),
        line=int(boxes.line[index]),
        name=_class_name(facts, boxes, index),
        width=float(boxes.width[index]),
        height=float(boxes.height[index]),
        before=counts[0],
        after=counts[1],
        reason=reasons[1] or reasons[0],
        loss_before=_loss(*sides[0]),
        loss_after=_loss(*sides[1]),
    )


def _class_name(facts: Facts, boxes: BoxFacts, index: int) -> str:
    names: Mapping[int, str] = {one.id: one.name for one in facts.labels.classes} if facts.labels is not None else {}
    cls = int(boxes.cls[index])
    return names.get(cls, f"class_{cls}")


def _loss(facts: Facts, index: int | None) -> float | None:
    return float(facts.box_loss.loss[index].sum()) if facts.box_loss is not None and index is not None else None
