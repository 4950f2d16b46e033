"""Pairs of boxes that share a slot: as many as a set has, also where only some are listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from detloss_cli.diagnose.loss import inspect_targets
from detloss_cli.measure import assignment
from detloss_cli.report.report import build
from detloss_cli.resolve import Request

SAMPLE = Path(__file__).parents[3] / "sample_data" / "vegetables" / "data.yaml"


@pytest.mark.parametrize("most", [0, 5, 12, 13])
def test_what_is_not_listed_is_counted(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assignment, "MOST_COLLISIONS", most)
    facts, findings = inspect_targets(Request("inspect targets", (str(SAMPLE),)))
    assert facts.assignment is not None
    assert facts.assignment.collision_pairs == 12
    own = [finding for finding in findings if finding.rule == "slot-collision"]
    assert sum(finding.where is not None for finding in own) == min(most, 12)
    assert [finding.count for finding in own if finding.where is None] == ([12 - most] if most < 12 else [])
    assert build("inspect targets", facts, own).summary.warnings == 12
