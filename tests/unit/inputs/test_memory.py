"""What was let go of goes back to the system."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from detloss_cli.inputs.memory import give_back

BLOCKS, BYTES = 20_000, 4_000


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_lies_below_a_block_in_use_is_given_back() -> None:
    blocks = [np.full(BYTES, 1, np.uint8) for _ in range(BLOCKS)]
    last = blocks.pop()
    held = resident()
    blocks.clear()
    give_back()
    assert held - resident() > BLOCKS * BYTES // 2
    assert last.sum() == BYTES


def test_other_systems_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr("ctypes.CDLL", lambda name: pytest.fail("asked for a C library"))
    give_back()
