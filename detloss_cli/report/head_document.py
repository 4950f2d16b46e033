"""The keys of the JSON that real head outputs add: `head`, and what `dumps` holds of each step."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from detloss_cli.facts.heads import CellFacts, DumpFacts, HeadFacts
from detloss_cli.inputs.relative import relative
from detloss_cli.report.scalars import scalars

MOST_BOXES = 1000


def dump_document(dump: DumpFacts, root: str) -> dict[str, Any]:
    """One step. Boxes one by one stand in `head` alone."""
    own = {} if dump.head is None else {"head": _levels(dump.head, root)}
    return asdict(replace(dump, head=None)) | {"path": relative(dump.path, root), "head": None, "scalars": scalars(dump)} | own


def head_document(head: HeadFacts, root: str) -> dict[str, Any]:
    """What the head answers, and the boxes that have slots: those answered worst."""
    answers = head.answers
    order = np.argsort(answers.iou, kind="stable").tolist()[:MOST_BOXES]  # what is NaN goes last
    histogram, _ = np.histogram(answers.iou[~np.isnan(answers.iou)], bins=10, range=(0.0, 1.0))
    boxes = [
        {
            "path": relative(answers.path[box], root),
            "line": int(answers.line[box]),
            "name": answers.name[box],
            "iou": float(answers.iou[box]) if math.isfinite(answers.iou[box]) else None,
            "confidence": float(answers.confidence[box]),
            "taken_for": answers.taken_for[box],
        }
        for box in order
    ]
    return {"steps": head.steps, **_levels(head, root), "iou_histogram": histogram.tolist(), "boxes": boxes}


def _levels(head: HeadFacts, root: str) -> dict[str, Any]:
    return {
        "levels": [asdict(level) for level in head.levels],
        "gradients": [asdict(one) for one in head.gradients],
        "cells": [_cell(cell, root) for cell in head.cells],
        "slots": head.slots,
        "right": head.right,
        "objectness": asdict(head.objectness) if head.objectness is not None else None,
        "confusion": [asdict(one) for one in head.confusion],
    }


def _cell(cell: CellFacts, root: str) -> dict[str, Any]:
    return asdict(cell) | {"picture": relative(cell.picture, root)}
