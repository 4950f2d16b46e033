"""Cases to replay: those the project carries, or a folder given with --oracles."""

from __future__ import annotations

import json

import pytest
from case import CARRIED, find_cases


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case_path" not in metafunc.fixturenames:
        return
    given = metafunc.config.getoption("--oracles")
    if given is not None and not given.is_dir():
        raise pytest.UsageError(f"--oracles {given}: no such folder")
    paths = find_cases(given or CARRIED)
    heads = [json.loads(p.read_text()) for p in paths]
    metafunc.parametrize("case_path", paths, ids=[f"{h['family']}-{h['case']}" for h in heads])
