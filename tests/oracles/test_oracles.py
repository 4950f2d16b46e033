"""Every recorded case against the family that it belongs to, in float32 and float64."""

from __future__ import annotations

from importlib import import_module, util
from pathlib import Path

import pytest
from case import Case


def test_case(case_path: Path) -> None:
    case = Case(case_path)
    family = case.meta["family"]
    if util.find_spec(f"adapters.{family}") is None:
        pytest.skip(f"family {family} is not built yet")
    import_module(f"adapters.{family}").replay(case)
