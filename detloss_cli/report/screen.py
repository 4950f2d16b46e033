"""Which sections make up the screen of each command."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from detloss_cli.facts import Facts
from detloss_cli.inputs.limits import UNREAD_KINDS
from detloss_cli.report.report import Report
from detloss_cli.report.safe import safe
from detloss_cli.report.sections.anchor_fit import anchor_lists
from detloss_cli.report.sections.anchors import anchors_table
from detloss_cli.report.sections.balance import balance_line
from detloss_cli.report.sections.box_groups import box_groups_table
from detloss_cli.report.sections.box_moves import box_moves
from detloss_cli.report.sections.compare import compare_blocks, compare_lines, run_names
from detloss_cli.report.sections.dumps import dumps_table
from detloss_cli.report.sections.environment import environment_list
from detloss_cli.report.sections.families import families_list
from detloss_cli.report.sections.findings import findings_count, findings_list
from detloss_cli.report.sections.gains import gains_table
from detloss_cli.report.sections.gate import gate_table
from detloss_cli.report.sections.header import header
from detloss_cli.report.sections.heads import answers_table, cells_table, gradients_table, worst_boxes
from detloss_cli.report.sections.hyp import hyp_table
from detloss_cli.report.sections.image import image_table
from detloss_cli.report.sections.image_anchors import image_anchors
from detloss_cli.report.sections.labels import labels_tables
from detloss_cli.report.sections.level_table import level_table
from detloss_cli.report.sections.maps import maps_table
from detloss_cli.report.sections.not_finite import not_finite_list
from detloss_cli.report.sections.preflight import verdict_line
from detloss_cli.report.sections.reach import reach_tables
from detloss_cli.report.sections.run import log_table
from detloss_cli.report.sections.standing import standing_table
from detloss_cli.report.sections.survey import survey_tables, worst_table
from detloss_cli.report.sections.sweep import sweep_table
from detloss_cli.report.sections.targets import targets_tables
from detloss_cli.report.sections.verdict import verdict


def screen(report: Report, width: int, places: int, wrap: int | None = None) -> Iterator[Text]:
    """All lines of a report.

    Args:
        width: columns of the terminal.
        places: how many places of a rule are listed. wrap: as `findings_list` has it.
    """
    if report.facts is not None and report.command is not None:
        yield from _facts(report.command, report.facts, report, width)
    if "worst" in report.extra:
        yield from worst_table(report.extra["worst"], width)
    if "families" in report.extra:
        yield from families_list(report.extra["families"], width)
    if "environment" in report.extra:
        yield from environment_list(report.extra["environment"])
    if "explanation" in report.extra:
        yield from (Text(safe(line)) for line in str(report.extra["explanation"]["text"]).splitlines())
    swept = report.facts is not None and report.facts.sweep is not None
    if report.findings and (report.command == "compute" or swept):
        yield from findings_count(report.findings, width)
    elif report.findings:
        yield from findings_list(report.findings, report.summary, places, wrap)
    if report.command == "preflight":
        yield from verdict_line(report.summary)


def _facts(command: str, facts: Facts, report: Report, width: int) -> Iterator[Text]:
    whole = not any(finding.rule in UNREAD_KINDS for finding in report.findings)
    yield from header(command, facts, width, whole=whole)
    if facts.compare is not None:
        yield from compare_lines(facts.compare, width)
    else:
        yield from verdict(command, facts, report.findings, width)
    for block in _blocks(command, facts, report, width):
        lines = list(block)
        if lines:
            yield Text("")
            yield from lines


def _blocks(command: str, facts: Facts, report: Report, width: int) -> Iterator[Iterator[Text]]:
    """Sections in the order of the screen; an empty one takes no room."""
    if facts.compare is not None:
        yield from compare_blocks(facts.compare, width)
        names = run_names(facts.compare)
        for moves in facts.compare.moves:
            pair = (names[0], names[moves.run])
            yield box_moves(moves, pair, len(facts.compare.moves), report.extra.get("shown"), width)
        return
    if facts.gate is not None:
        yield gate_table(facts, width)
    if command == "check":
        return
    if command == "inspect labels" and facts.labels is not None:
        yield labels_tables(facts.labels, width, classes=facts.survey is None or facts.survey.classes is None)
        if facts.survey is not None:
            yield survey_tables(facts.survey, width)
    if facts.hyp is not None:
        yield hyp_table(facts.hyp, report.findings, width)
    if facts.sweep is not None:
        yield sweep_table(facts.sweep, width)
        return
    if facts.image is not None:
        yield image_table(facts.image, facts.levels or (), facts.data.root if facts.data is not None else "", width)
        yield image_anchors(facts.image, facts.levels or (), facts.settings.family if facts.settings is not None else "", width)
        return
    if facts.anchors is not None:
        yield anchor_lists(facts.anchors, width)
        return
    if command == "compute":
        yield not_finite_list(report.findings, width)
    if facts.loss is not None or facts.maps is None:
        yield level_table(facts, width)
    yield box_groups_table(facts, width)
    yield log_table(facts.run, width)
    yield dumps_table(facts.dumps or (), width)
    if facts.head is not None:
        yield standing_table(facts.loss, facts.dumps or (), facts.head, width)
        yield answers_table(facts.head, facts.levels or (), width)
        yield gradients_table(facts.head, width)
        yield cells_table(facts.head.cells, width)
        yield worst_boxes(facts.head.answers, width)
    yield balance_line(facts.levels or (), facts.loss.batches if facts.loss is not None else 0, width)
    yield maps_table(facts.maps or (), width)
    yield gains_table(facts.gains or (), width)
    yield anchors_table(facts.levels or (), width)
    yield reach_tables(facts.reach, width)
    if command == "inspect targets":
        yield targets_tables(facts, width)
