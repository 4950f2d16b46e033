"""Cases to replay: those the project carries, or a folder given with --oracles."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

CARRIED = Path(__file__).parent / "cases"


def find_cases(root: Path) -> list[Path]:
    """Every .json below a folder, at any depth, that has a .safetensors beside it."""
    return sorted(p for p in root.rglob("*.json") if p.with_suffix(".safetensors").exists())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case_path" not in metafunc.fixturenames:
        return
    given = metafunc.config.getoption("--oracles")
    if given is not None and not given.is_dir():
        raise pytest.UsageError(f"--oracles {given}: no such folder")
    paths = find_cases(given or CARRIED)
    heads = [json.loads(p.read_text()) for p in paths]
    metafunc.parametrize("case_path", paths, ids=[f"{h['family']}-{h['case']}" for h in heads])
