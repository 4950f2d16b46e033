"""Ctrl-C and SIGTERM, wherever the run stands: the code that the shell expects, no traceback, nothing half written."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

FILES, SIDE = 2000, 16
CODE = "import sys; from detloss_cli.cli.main import main; sys.stderr.write('up\\n'); sys.stderr.flush(); main()"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Half a million boxes: no machine is through with them before the last signal."""
    folder = tmp_path_factory.mktemp("many") / "labels"
    folder.mkdir()
    text = "".join(f"0 {(n % SIDE + 0.5) / SIDE} {(n // SIDE + 0.5) / SIDE} 0.05 0.05\n" for n in range(SIDE * SIDE))
    for number in range(FILES):
        (folder / f"{number:05d}.txt").write_text(text)
    return str(folder)


@pytest.mark.parametrize("delay", [0.0, 0.4, 1.0])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_run(number: signal.Signals, code: int, delay: float, data: str, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_text("old")
    command = [sys.executable, "-c", CODE, "compute", data, "--no-cache", "-o", str(report)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    process.stderr.readline()
    time.sleep(0.05 + delay)
    process.send_signal(number)
    started = time.monotonic()
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert time.monotonic() - started < 10  # two seconds on a machine that does nothing else
    assert (out, err) == ("", "")
    assert (report.read_text(), [path.name for path in tmp_path.iterdir()]) == ("old", ["report.json"])


# What a signal meets here is not the program but a callback: what it raises is reported and forgotten.
IN_A_CALLBACK = """
import signal, sys, time
from detloss_cli.cli import guard
from detloss_cli.cli.main import run

class Held:
    def __del__(self):
        signal.raise_signal(signal.{name})

def guarded(arguments):
    held = Held()
    del held
    time.sleep(20)
    return 0

guard.guarded = guarded
sys.exit(run([]))
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers there")
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_that_a_callback_swallows_comes_again(name: str, code: int) -> None:
    started = time.monotonic()
    ran = subprocess.run([sys.executable, "-c", IN_A_CALLBACK.format(name=name)], capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (code, "", "")
    assert time.monotonic() - started < 15
