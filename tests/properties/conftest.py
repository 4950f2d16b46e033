"""A small head with anchors."""

from __future__ import annotations

import pytest

from detloss_cli.inputs.head import Head, HeadSpec

P5 = (((10, 13), (16, 30), (33, 23)), ((30, 61), (62, 45), (59, 119)), ((116, 90), (156, 198), (373, 326)))


@pytest.fixture
def head() -> Head:
    return HeadSpec("small", "yolov5", (8, 16, 32), P5).at((128, 160), 4)
