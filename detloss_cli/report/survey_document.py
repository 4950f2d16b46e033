"""The keys of the JSON that a survey of labels adds: `loaders`, `groups`, `classes_by`, `sets`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from detloss_cli.facts.labels import SurveyFacts


def survey_document(survey: SurveyFacts) -> dict[str, Any]:
    """Those that were counted; the rest is absent."""
    body: dict[str, Any] = {}
    if survey.loaders:
        body["loaders"] = [asdict(one) for one in survey.loaders]
    if survey.groups:
        body["groups"] = {"by": survey.by, "rows": [asdict(one) for one in survey.groups]}
    if survey.classes is not None:
        body["classes_by"] = {"columns": survey.classes.columns, "rows": [asdict(row) for row in survey.classes.rows]}
    if survey.sets:
        body["sets"] = [asdict(one) for one in survey.sets]
    return body
