"""Options of the test run."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--oracles", type=Path, default=None, metavar="DIR", help="replay the cases below DIR instead of the carried ones")
