"""What each box adds to the loss is worked out where it is asked for, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from detloss_cli.diagnose.loss import compute
from detloss_cli.measure import passes
from detloss_cli.resolve import Request

SAMPLE = str(Path(__file__).parents[3] / "sample_data" / "vegetables" / "data.yaml")


@pytest.mark.parametrize(("each_box", "by", "times"), [(False, None, 0), (True, None, 1), (False, "box", 1), (False, "class", 1)])
def test_a_pass_by_box_is_made_only_for_who_reads_it(each_box, by, times, monkeypatch) -> None:
    made = []
    inner = passes.set_box_loss
    monkeypatch.setattr(passes, "set_box_loss", lambda *given: made.append(inner(*given)))
    facts, _ = compute(Request("compute", (SAMPLE,), imgsz=(160, 160), each_box=each_box, by=by))
    assert len(made) == times
    assert (facts.box_loss is not None) == bool(times)
