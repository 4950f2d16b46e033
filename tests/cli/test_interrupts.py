"""Ctrl-C and SIGTERM, wherever the run stands: the code that the shell expects, no traceback, nothing half written."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DATA = str(ROOT / "sample_data" / "vegetables" / "data.yaml")
CODE = "import sys; from detloss_cli.cli.main import main; sys.stderr.write('up\\n'); sys.stderr.flush(); main()"


@pytest.mark.parametrize("delay", [0.0, 0.4, 1.0])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run(number: signal.Signals, code: int, delay: float, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text("old")
    command = [sys.executable, "-c", CODE, "compute", DATA, "-o", str(report)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    process.stderr.readline()
    time.sleep(0.05 + delay)
    process.send_signal(number)
    started = time.monotonic()
    out, err = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip("the run was over before the signal")
    assert process.returncode == code
    assert time.monotonic() - started < 10  # two seconds on a machine that does nothing else
    assert (out, err) == ("", "")
    assert (report.read_text(), [path.name for path in tmp_path.iterdir()]) == ("old", ["report.json"])
