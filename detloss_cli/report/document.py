"""A report as plain values under the keys of the published schema."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from detloss_cli import __version__
from detloss_cli.checks.figures import figures
from detloss_cli.facts import AssignmentFacts, DataFacts, Facts, GainFacts, ImageFacts, LossFacts, Settings
from detloss_cli.facts.anchors import AnchorFacts
from detloss_cli.facts.gate import GateFacts
from detloss_cli.finding import Finding
from detloss_cli.inputs.relative import relative
from detloss_cli.report.compare_document import compare_document
from detloss_cli.report.groups_document import groups_document
from detloss_cli.report.head_document import dump_document, head_document
from detloss_cli.report.report import Report
from detloss_cli.report.safe import encodable
from detloss_cli.report.survey_document import survey_document

SCHEMA_VERSION = "1.0"
OF_THE_SCREEN = {"shown"}  # what of the extra says how much is shown, and is no part of the answer


def document(report: Report) -> dict[str, Any]:
    """Everything that JSON holds: no number that is not finite, no text that cannot be encoded.

    Objects that were not computed are absent.
    """
    body: dict[str, Any] = {"schema_version": SCHEMA_VERSION, "tool": {"name": "detloss", "version": __version__}}
    if report.command is not None:
        body["command"] = report.command
    if report.facts is not None:
        body |= _facts(report.facts)
    body |= {key: value for key, value in report.extra.items() if key not in OF_THE_SCREEN}
    body["findings"] = [_finding(finding) for finding in report.findings]
    body["summary"] = asdict(report.summary)
    plain: dict[str, Any] = _plain(body)
    return plain


def _facts(facts: Facts) -> dict[str, Any]:
    """The parts of a run that there are."""
    body: dict[str, Any] = {}
    if facts.data is not None:
        body["data"] = _data(facts.data)
    if facts.settings is not None:
        body["settings"] = _settings(facts.settings)
    if facts.labels is not None:
        body["labels"] = asdict(facts.labels)
    if facts.survey is not None:
        body |= survey_document(facts.survey)
    if facts.hyp is not None:
        body["hyp"] = [asdict(key) for key in facts.hyp]
    if facts.levels is not None:
        body["levels"] = [asdict(level) for level in facts.levels]
    if facts.maps is not None:
        body["maps"] = [asdict(one) for one in facts.maps]
    if facts.reach is not None:
        body["reach"] = asdict(facts.reach)
    if facts.anchors is not None:
        body["anchors"] = _anchors(facts.anchors, facts.data.root if facts.data is not None else "")
    if facts.assignment is not None:
        body["assignment"] = _assignment(facts.assignment)
    if facts.gains is not None:
        body["gains"] = [_gain(gain) for gain in facts.gains]
    if facts.loss is not None:
        body |= _loss(facts.loss)
    if facts.groups is not None:
        body["boxes_by"] = groups_document(facts.groups, facts.data.root if facts.data is not None else "")
    if facts.run is not None:
        body["run"] = asdict(facts.run)
    if facts.dumps is not None:
        root = facts.data.root if facts.data is not None else ""
        body["dumps"] = [dump_document(one, root) for one in facts.dumps]
    if facts.head is not None:
        body["head"] = head_document(facts.head, facts.data.root if facts.data is not None else "")
    if facts.gate is not None:
        body["gate"] = _gate(facts)
    if facts.compare is not None:
        body["compare"] = compare_document(facts.compare, _facts)
    if facts.sweep is not None:
        body["sweep"] = asdict(facts.sweep)
    if facts.image is not None:
        body["image"] = _image(facts.image, facts.data.root if facts.data is not None else "")
    return body


def _anchors(anchors: AnchorFacts, root: str) -> dict[str, Any]:
    return asdict(anchors) | {"path": relative(anchors.path, root) if anchors.path is not None else None}


def _gate(facts: Facts) -> dict[str, Any]:
    """The figures, what they were in the baseline, and the bounds that they were held against, as written."""
    gate = facts.gate or GateFacts()
    bounds = {name.replace("_", "-"): value for name, value in asdict(gate.thresholds).items() if value}
    return {
        "figures": figures(facts),
        "settings": gate.settings,
        "thresholds": {
            name: value["text"] if "text" in value else {what: one["text"] for what, one in value.items()} for name, value in bounds.items()
        },
        "baseline": gate.baseline.figures if gate.baseline is not None else None,
        "known": gate.known,
        "gone": gate.gone,
    }


def _image(image: ImageFacts, root: str) -> dict[str, Any]:
    columns = zip(image.line.tolist(), image.name, image.boxes_xyxy.tolist(), image.positives.tolist(), image.text, strict=True)
    return {
        "path": relative(image.path, root),
        "label_path": relative(image.label_path, root) if image.label_path else None,
        "boxes": [
            {"line": line, "name": name, "xyxy": xyxy, "positives": positives, "reason": text or None}
            for line, name, xyxy, positives, text in columns
        ],
        "cells": image.cells.tolist(),
    }


def _data(data: DataFacts) -> dict[str, Any]:
    splits = {split: [relative(place, data.root) for place in places] for split, places in data.splits.items()}
    return {"path": data.path, "root": data.root, "splits": splits}


def _settings(settings: Settings) -> dict[str, Any]:
    """Where the hyp file stands goes last: it differs between machines, the rest does not. Shapes only where batches differ in theirs."""
    body = asdict(settings)
    if not body["shapes"]:
        del body["shapes"]
    return body | {key: body.pop(key) for key in ("gains", "hyp")}


def _assignment(facts: AssignmentFacts) -> dict[str, Any]:
    return {
        "positives": facts.positives,
        "boxes": facts.boxes,
        "unassigned": {
            "count": facts.unassigned,
            "share": facts.unassigned / facts.boxes if facts.boxes else None,
            "by_reason": facts.by_reason,
            "by_size": facts.by_size,
            "by_class": facts.by_class,
            "by_aspect": facts.by_aspect,
        },
        "per_box": {"mean": facts.per_box_mean, "max": facts.per_box_max, "histogram": facts.per_box_histogram},
        **({} if not facts.collisions_counted else {"collisions": _collisions(facts)}),
        "best_possible_recall": facts.best_possible_recall,
        "anchors_per_target": facts.anchors_per_target,
    }


def _collisions(facts: AssignmentFacts) -> dict[str, Any]:
    return {
        "slots": facts.collision_slots,
        "rows": facts.collision_rows,
        "boxes_without_slot": facts.boxes_without_slot,
        "class_conflicts": facts.class_conflicts,
        "pairs": facts.collision_pairs,
        "cost": facts.collision_cost,
    }


def _gain(gain: GainFacts) -> dict[str, Any]:
    steps = [{"rule": rule, "factor": factor, "source": source} for rule, factor, source in gain.steps]
    return {"term": gain.term, "key": gain.key, "steps": steps, "hyp": gain.hyp, "used": gain.used, "note": gain.note or None}


def _loss(loss: LossFacts) -> dict[str, Any]:
    return {
        "terms": [asdict(term) for term in loss.terms],
        "totals": {**loss.totals, "batch_factor": loss.batch_factor, "batches": loss.batches},
        "marks": {head.replace("-", "_"): totals for head, totals in loss.marks.items()},
        "notes": loss.notes,
    } | ({"what_if": loss.what_if} if loss.what_if else {})


def _finding(finding: Finding) -> dict[str, Any]:
    where = finding.where
    return {
        "code": finding.code,
        "rule": finding.rule,
        "severity": finding.severity,
        "message": finding.message,
        "path": where.path if where else None,
        "line": where.line if where else None,
        "column": where.column if where else None,
        "hint": finding.hint,
        "count": finding.count,
        "share": finding.share,
    }


def _plain(value: Any) -> Any:
    """Only what JSON knows: NaN and infinity are null, paths that are no UTF-8 show their bytes, keys are text."""
    if isinstance(value, str):
        return encodable(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {encodable(str(key)): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if hasattr(value, "tolist"):  # numpy scalars and arrays
        return _plain(value.tolist())
    raise ValueError(f"expected a value that JSON knows, got {type(value).__name__}")
