"""A small head with anchors."""

from __future__ import annotations

import pytest
from grids import P5

from detloss_cli.inputs.head import Head, HeadSpec


@pytest.fixture
def head() -> Head:
    return HeadSpec("small", "yolov5", (8, 16, 32), P5).at((128, 160), 4)
