"""At most three messages on what stands out, worst first, each with the command that shows more. Facts in words, no thresholds."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator

from rich.text import Text

from detloss_cli.checks.notable import notable
from detloss_cli.checks.registry import RULES
from detloss_cli.facts import AssignmentFacts, Facts
from detloss_cli.finding import Finding
from detloss_cli.report.grid import GAP
from detloss_cli.report.numbers import count, many, percent
from detloss_cli.report.safe import safe
from detloss_cli.report.sections.findings import more_of

MOST = 3
MARK = "! "
QUIET = "nothing stands out"
LEAST = 40  # columns of a message beside its command


def verdict(command: str, facts: Facts, findings: tuple[Finding, ...], width: int) -> Iterator[Text]:
    """What spoils a training, errors, boxes that train nothing, lost rows, warnings, what is uneven; one quiet line where nothing is."""
    told = outstanding(command, facts, findings, width)
    if not told:
        yield Text(f"  {QUIET}", style="green")
    for text, more in told:
        yield from _lines(text, more, width)


def outstanding(command: str, facts: Facts, findings: tuple[Finding, ...], width: int) -> list[tuple[str, str]]:
    """What stands out in words, worst first, each with the command that shows more of it, "" if that is the one that ran."""
    told = _told(facts)
    errors, warnings = ([*_findings(findings, severity, told, width)] for severity in ("error", "warning"))
    said = [*_loss(facts), *errors, *_targets(facts), *_labels(facts, errors=bool(errors)), *warnings, *_uneven(facts)]
    return [(text, "" if more == command else more) for text, more in said[:MOST]]


def _lines(text: str, more: str, width: int) -> Iterator[Text]:
    """The command stands at the end of the first line, if that leaves room for words; a long message goes on below, cut after two lines."""
    if width - len(more) - GAP < LEAST:
        more = ""
    room = width - len(MARK) - (len(more) + GAP if more else 0)
    first, *below = textwrap.wrap(text, max(1, room), max_lines=2, placeholder="…", break_on_hyphens=False) or [""]
    line = Text(MARK, style="bold yellow").append_text(Text(first, style="not bold default"))
    if more:
        line.append(" " * (width - line.cell_len - len(more)) + more, style="not bold dim")
    yield line
    yield from (Text(" " * len(MARK) + part) for part in below)


def _told(facts: Facts) -> set[str]:
    """Rules, and first digits of codes, of what other lines say in one word for all places."""
    told = {
        "infinite-loss",
        "term-not-finite",
        "box-without-positive",
        "level-without-positives",
        "image-without-label",
        "nothing-to-compute",
    }
    return told | ({"DET1", "DET25"} if facts.labels is not None and facts.labels.lost.rows else set())


def _findings(findings: tuple[Finding, ...], severity: str, told: set[str], width: int) -> Iterator[tuple[str, str]]:
    """A rule a line, those with the most places first: its message if there is one and it fits, else what they have in common."""
    rules: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.severity == severity and not told & {finding.rule, finding.code[:4], finding.code[:5]}:
            rules.setdefault(finding.code, []).append(finding)
    for code, own in sorted(rules.items(), key=lambda item: -len(item[1])):
        number = sum(1 if finding.where is not None else finding.count for finding in own)
        more = more_of(code)
        summary = RULES[code].summary.rstrip(".") if code in RULES else own[0].message
        common = summary if summary[1:2].isupper() else f"{summary[:1].lower()}{summary[1:]}"
        if number > 1:
            yield f"{count(number)}x {common}", more
        else:
            message = safe(own[0].message)
            yield message if len(message) <= max(len(common), width - len(more) - len(MARK) - GAP) else common, more


def _loss(facts: Facts) -> Iterator[tuple[str, str]]:
    infinite = len(facts.boxes.infinite) if facts.boxes is not None else 0
    if facts.loss is None:
        if infinite:
            yield f"{many(infinite, 'box makes', 'boxes make')} the loss infinite", "inspect targets"
        return
    for name, total in facts.loss.totals.items():
        if name != "total" and not math.isfinite(total):
            at = [term.level for term in facts.loss.terms if term.name == name and term.level and not math.isfinite(term.value)]
            cause = f": {many(infinite, 'box makes', 'boxes make')} it so" if infinite else ""
            yield f"{safe(name)} is {total}" + (f" on {', '.join(at)}" if at else "") + cause, "inspect targets"


def _targets(facts: Facts) -> Iterator[tuple[str, str]]:
    assignment, levels = facts.assignment, facts.levels or ()
    if assignment is None or (facts.labels is not None and facts.labels.images == 0):
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


def _uneven(facts: Facts) -> Iterator[tuple[str, str]]:
    return ((safe(one.text), one.more) for one in notable(facts))


def _labels(facts: Facts, *, errors: bool) -> Iterator[tuple[str, str]]:
    labels = facts.labels
    if labels is None:
        return
    if labels.images == 0:
        if not errors:
            yield "no images and no label files were found", "inspect labels"
        return
    if labels.lost.rows:
        whole = f", {many(labels.lost.images, 'image')} dropped whole" if labels.lost.images else ""
        verb = "reaches" if labels.lost.rows == 1 else "reach"
        yield f"{many(labels.lost.rows, 'row')} of {count(labels.rows)} never {verb} the loss{whole}", "inspect labels"
    if labels.missing:
        yield f"{many(labels.missing, 'image has', 'images have')} no label file", "inspect labels"
