"""Recorded yolov3-spp cases, archive and WZM revisions: assignment row by row, terms by level, items, total, gradients."""

from __future__ import annotations

from dataclasses import replace

import pytest
from adapters.grid import check_gradients, check_rows, check_terms, head_of, predictions_of, targets_of
from case import Case
from compare import close

from detloss_cli.families import yolov3_spp
from detloss_cli.predictions.interface import DensePredictions

PROFILES = {"yolov3-archive": "archive", "wzm-yolov3spp": "wzm", "wzm-preclamp": "wzm-preclamp"}


def replay(case: Case) -> None:
    if case.ref not in PROFILES:
        pytest.skip(f"yolov3-spp revision {case.ref} is not built yet")
    profile, head = PROFILES[case.ref], head_of(case)
    hyp = replace(yolov3_spp.Hyp(**case.settings["hyp"]), gr=case.settings["gr"])
    for dtype in ("f32", "f64"):
        levels = predictions_of(case, dtype, len(head.levels))
        targets = targets_of(case, dtype)
        assignment = yolov3_spp.assign(head, hyp, targets, profile=profile)
        breakdown = yolov3_spp.loss(head, hyp, targets, DensePredictions(levels), assignment, profile=profile)
        breakdown.total.backward()
        wanted = case.expected(dtype)
        close(breakdown.total, wanted["loss"], dtype, "loss")
        check_terms(breakdown, wanted, yolov3_spp.TERMS, yolov3_spp.PROFILES[profile].items, dtype)
        check_gradients(levels, wanted, dtype)
        check_rows(case, dtype, head, targets, assignment, breakdown.extra["overlap"], [level.grad for level in levels])
