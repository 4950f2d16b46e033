"""What was known is not told again, and what got worse is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from check_runs import Run, as_json, spoil_row

ROOT = Path(__file__).resolve().parents[2]


def test_the_baseline_catches_another_anchor_t(check: Run) -> None:
    shipped = (ROOT / "configs" / "hyp.scratch-low.yaml").read_text()
    for name, value in (("same", "4.0"), ("lower", "3.0"), ("higher", "5.0")):
        Path(f"{name}.yaml").write_text(shipped.replace("anchor_t: 4.0", f"anchor_t: {value}"))
    assert check("vegetables/data.yaml", "--hyp", "same.yaml", "--write-baseline", "base.json")[0] == 0
    assert as_json(check, "vegetables/data.yaml", "--hyp", "same.yaml", "--baseline", "base.json") == (0, {})
    for name in ("lower", "higher"):
        code, rules = as_json(check, "vegetables/data.yaml", "--hyp", f"{name}.yaml", "--baseline", "base.json")
        assert code == 1
        assert rules["figure-worse"] >= 1
        assert rules["setting-differs"] == 1


def test_the_baseline_knows_findings_by_their_row(data: Path, check: Run) -> None:
    spoil_row(data)
    label = sorted((data / "labels" / "train").iterdir())[0]
    assert check("vegetables/data.yaml", "--write-baseline", "base.json")[0] == 1
    assert as_json(check, "vegetables/data.yaml", "--baseline", "base.json") == (0, {})
    label.write_text("\n".join(reversed(label.read_text().split("\n"))))  # other lines, the same rows
    assert "column-count" not in as_json(check, "vegetables/data.yaml", "--baseline", "base.json", "--new-only")[1]
    label.write_text(label.read_text() + "\n0 .6 .5 .1\n")
    code, rules = as_json(check, "vegetables/data.yaml", "--baseline", "base.json", "--new-only")
    assert (code, rules["column-count"]) == (1, 1)
    label.write_text("\n".join(row for row in label.read_text().split("\n") if len(row.split()) == 5))
    body = json.loads(check("vegetables/data.yaml", "--baseline", "base.json", "--format", "json")[1])
    assert body["gate"]["gone"] >= 1


def test_new_only_leaves_figures_and_bounds_aside(check: Run) -> None:
    assert check("vegetables/data.yaml", "--write-baseline", "base.json")[0] == 0
    old = Path("base.json").read_text()
    Path("base.json").write_text(old.replace('"unassigned": 0.0', '"unassigned": -1.0'))
    assert as_json(check, "vegetables/data.yaml", "--baseline", "base.json")[1] == {"figure-worse": 1}
    assert as_json(check, "vegetables/data.yaml", "--baseline", "base.json", "--new-only", "--max-collisions", "0") == (0, {})
    code, _, err = check("vegetables/data.yaml", "--new-only")
    assert (code, err) == (2, "detloss: --new-only: --new-only needs something to compare with (add --baseline FILE)\n")


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"baseline_version": 2}', '{"baseline_version": 1, "figures": {"x": NaN}}', "[" * 100000]
)
def test_what_is_no_baseline_is_2(text: str, check: Run) -> None:
    Path("base.json").write_text(text)
    code, _, err = check("vegetables/data.yaml", "--baseline", "base.json")
    assert code == 2
    assert err.count("\n") == 1


def test_a_baseline_is_not_written_among_the_data(check: Run) -> None:
    code, _, err = check("vegetables/data.yaml", "--write-baseline", "vegetables/labels/train/base.json")
    assert code == 2
    assert "among the data" in err
