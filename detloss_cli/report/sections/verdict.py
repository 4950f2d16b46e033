"""At most three lines on what stands out, each with the command that shows more. Facts in words, no thresholds."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.text import Text

from detloss_cli.facts import AssignmentFacts, Facts
from detloss_cli.finding import Finding
from detloss_cli.report.numbers import count, many, percent
from detloss_cli.report.safe import safe

MOST = 3


def verdict(command: str, facts: Facts, findings: tuple[Finding, ...], width: int) -> Iterator[Text]:
    """Worst first; one quiet line where nothing stands out."""
    said = [*_loss(facts), *_anchors(facts, findings), *_targets(facts), *_labels(facts, findings)]
    shown = [(text, "" if more.startswith(command) else more) for text, more in said[:MOST]]
    if not shown and not any(finding.severity == "error" for finding in findings):
        yield Text("  nothing stands out", style="green")
    for text, more in shown:
        line = Text("! ", style="bold yellow").append_text(Text(text, style="not bold default"))
        space = width - line.cell_len - len(more)
        if more and space >= 2:
            line.append(" " * space + more, style="not bold dim")
        yield line


def _loss(facts: Facts) -> Iterator[tuple[str, str]]:
    if facts.loss is None:
        return
    for name, total in facts.loss.totals.items():
        if name != "total" and not math.isfinite(total):
            at = [term.level for term in facts.loss.terms if term.name == name and term.level and not math.isfinite(term.value)]
            boxes = len(facts.boxes.infinite) if facts.boxes is not None else 0
            cause = f": {many(boxes, 'box makes', 'boxes make')} it so" if boxes else ""
            yield f"{safe(name)} is {total}" + (f" on {', '.join(at)}" if at else "") + cause, "inspect targets"


def _anchors(facts: Facts, findings: tuple[Finding, ...]) -> Iterator[tuple[str, str]]:
    """What is to be said about anchors where the command is about them."""
    if facts.anchors is not None:
        for finding in findings:
            if finding.rank and finding.code.startswith("DET45"):
                yield safe(finding.message.partition(": ")[0]), ""


def _targets(facts: Facts) -> Iterator[tuple[str, str]]:
    assignment, levels = facts.assignment, facts.levels or ()
    if assignment is None:
        return
    if not assignment.positives:
        yield "no box gets a positive: only empty cells are trained", "inspect targets"
        return
    empty = [level.level for level in levels if not level.positives]
    if empty:
        yield f"{' and '.join(empty)} {'has' if len(empty) == 1 else 'have'} no positives at all", "inspect targets"
    if assignment.unassigned:
        share = percent(assignment.unassigned / assignment.boxes)
        yield f"{many(assignment.unassigned, 'box trains', 'boxes train')} nothing ({share}){_why(assignment)}", "inspect targets"
    if assignment.class_conflicts:
        yield f"{many(assignment.class_conflicts, 'slot is', 'slots are')} claimed for two classes", "inspect targets"


def _why(assignment: AssignmentFacts) -> str:
    """The most frequent reason."""
    reason, number = max(assignment.by_reason.items(), key=lambda item: item[1], default=("", 0))
    words = safe(reason).replace("_", " ")
    return f": {words}" if number == assignment.unassigned else f", {count(number)} of them: {words}" if number else ""


def _labels(facts: Facts, findings: tuple[Finding, ...]) -> Iterator[tuple[str, str]]:
    labels = facts.labels
    if labels is None:
        return
    if labels.images == 0:
        yield "no images and no label files were found", "inspect labels"
        return
    if labels.lost.rows:
        whole = f", {many(labels.lost.images, 'image')} dropped whole" if labels.lost.images else ""
        yield f"{many(labels.lost.rows, 'row')} of {count(labels.rows)} never reach the loss{whole}", "inspect labels"
    if labels.missing:
        yield f"{many(labels.missing, 'image has', 'images have')} no label file", "inspect labels"
    if facts.command == "inspect labels":
        worst = [finding for finding in findings if finding.severity == "error"]
        if worst and not labels.lost.rows:
            yield f"{many(len(worst), 'error')}, listed below", ""
