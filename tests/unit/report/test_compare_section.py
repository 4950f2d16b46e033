"""What of a comparison stands above its tables."""

from __future__ import annotations

from dataclasses import replace

import made_comparisons

from detloss_cli.report.sections.compare import compare_lines


def test_keys_off_scale_stand_out_whatever_their_notes_say() -> None:
    facts = made_comparisons.compared_runs().compare
    assert facts is not None
    assert {"box", "cls"} < {key.key for key in facts.keys}
    for loud in ("box", "cls"):
        keys = tuple(replace(key, note=f"of {key.key}: too small, too large", off_scale=key.key == loud) for key in facts.keys)
        lines = [line.plain for line in compare_lines(replace(facts, keys=keys), 80)]
        assert [line for line in lines if "too small" in line] == [f"! {loud}: of {loud}: too small, too large"]
