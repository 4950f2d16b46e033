"""Fitted anchors as a model file: what `--model` reads, and rows that a trainer's own file can take over."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from detloss_cli.facts.anchors import AnchorFacts


def anchors_yaml(facts: AnchorFacts) -> str:
    """One row a level, pixels of the network input.

    Raises:
        ValueError: there is no fit.
    """
    fitted = facts.fitted
    if fitted is None:
        raise ValueError("expected fitted anchors, got none")
    height, width = facts.imgsz
    rule = f", {facts.key} {facts.threshold:g}" if facts.key else ""
    lines = [
        f"# {facts.fit_number} anchors fitted to {facts.boxes:,} boxes at {width}x{height}{rule}, seed {facts.seed}, "
        f"{facts.generations} generations.",
        f"# best possible recall {fitted.best_possible_recall:.4f}, fitness {fitted.fitness:.4f}",
    ]
    if facts.present is not None:
        lines.append(f"# before: best possible recall {facts.present.best_possible_recall:.4f}, fitness {facts.present.fitness:.4f}")
    lines += [f"strides: [{', '.join(map(str, facts.strides))}]", "anchors:  # width, height in pixels, one level a row"]
    for name, stride, boxes in zip(facts.levels, facts.strides, fitted.anchors, strict=True):
        lines.append(f"  - [{', '.join(f'{w:g},{h:g}' for w, h in boxes)}]  # {name}/{stride}")
    return "\n".join(lines) + "\n"
