"""The corpus of malformed data sets, at library level: each expected finding is there, and no other error."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from detloss_cli.checks.labels import label_findings
from detloss_cli.finding import RANK
from detloss_cli.inputs.data_yaml import read_data
from detloss_cli.inputs.dataset import read_dataset

CORPUS = Path(os.environ.get("DETLOSS_CORPUS", Path(__file__).parents[4] / "shared" / "corpus"))
CASES = [json.loads(path.read_text()) for path in sorted(CORPUS.glob("cases/[lf]*/case.json"))]
CASES = [case for case in CASES if case["kind"] in ("labels", "fs")]


@pytest.fixture(scope="module")
def materialise() -> ModuleType:
    spec = importlib.util.spec_from_file_location("materialise", CORPUS / "materialise.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(not CASES, reason="the corpus is not beside the project")
@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_case(case: dict[str, Any], materialise: ModuleType, tmp_path: Path) -> None:
    if case.get("needs") == "non-root" and os.geteuid() == 0:
        pytest.skip("root reads everything")
    root = tmp_path / "data"
    materialise.materialise(str(CORPUS / "cases" / case["id"]), str(root))
    spec, _ = read_data(str(root / "data.yaml"))
    dataset = read_dataset(spec, tuple(spec.splits), "strict", num_classes=None, sizes=False)
    found = [(str(Path(f.where.path).relative_to(root)), f.where.line, f.severity) for f in label_findings(dataset) if f.where]
    for expected in case["expected"]:
        assert any(
            path == expected["file"] and expected["line"] in (None, line) and RANK[severity] >= RANK[expected["severity"]]
            for path, line, severity in found
        ), (expected, found)
    allowed = {(e["file"], line) for e in case["expected"] for line in (e["line"], *case.get("also", ()))}
    worst = "warning" if not case["expected"] else "error"
    assert not [f for f in found if RANK[f[2]] >= RANK[worst] and f[:2] not in allowed]
    counts = dataset.counts
    assert counts.images == counts.labelled + counts.background + counts.skipped
    assert counts.kept + counts.lost_rows == counts.rows
    assert sum(counts.lost_by_rule.values()) == counts.lost_rows
    assert {key: getattr(counts, key) for key in case.get("labels", {})} == case.get("labels", {})
