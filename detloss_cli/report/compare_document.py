"""Runs beside one another under the keys of the JSON."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from detloss_cli.facts import Facts
from detloss_cli.facts.compare import BoxMoves, CompareFacts, KeyMoves

OF_A_RUN = ("command", "settings", "labels", "levels", "assignment", "gains", "terms", "totals")


def compare_document(facts: CompareFacts[Facts], of_run: Callable[[Facts], dict[str, Any]]) -> dict[str, Any]:
    """Each run with the objects that its own report has, and what differs.

    Args:
        of_run: makes those objects.
    """
    names = [name for name, _ in facts.runs]
    return {
        "option": facts.option or None,
        "runs": [
            {"name": name, "by_head": asks, **_chosen({"command": run.command, **of_run(run)})}
            for (name, run), asks in zip(facts.runs, facts.by_head, strict=True)
        ],
        "settings": [{"key": key, "values": dict(zip(names, texts, strict=True))} for key, texts in facts.settings],
        "keys": [_key(key) for key in facts.keys],
        "lost": [{"rule": rule, "rows": rows} for rule, rows in facts.lost.items()],
        "moves": [_moves(moves, names) for moves in facts.moves],
    }


def _chosen(body: dict[str, Any]) -> dict[str, Any]:
    return {key: body[key] for key in OF_A_RUN if key in body}


def _key(key: KeyMoves) -> dict[str, Any]:
    return {"key": key.key, "hyp": key.hyp, "used": key.used, "note": key.note or None}


def _moves(moves: BoxMoves, names: list[str]) -> dict[str, Any]:
    body: dict[str, Any] = {"from": names[0], "to": names[moves.run], "both": moves.both, "same": moves.same}
    body |= {str(change): number for change, number in moves.counts.items()}
    return body | {"boxes": [asdict(box) | {"reason": box.reason or None} for box in moves.boxes]}
