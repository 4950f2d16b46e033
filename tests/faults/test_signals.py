"""Ctrl-C, SIGTERM and readers that leave: the code that the shell expects, no traceback, nothing half written."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from child import COMMAND, ended, fork, forked, make_set, warm_up

from detloss_cli.inputs.cache import held


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Takes about a second to read: each row is explained."""
    return make_set(tmp_path_factory.mktemp("data") / "set", 300, text="0 0.5 0.5 0.2 0.2\n" * 20 + "0 1.5 .5 .2 .2\n" * 20)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_at_any_time(number: signal.Signals, code: int, data: Path, tmp_path: Path) -> None:
    from detloss_cli.cli.main import run

    warm_up()
    report, cache = tmp_path / "out" / "report.json", tmp_path / "cache"
    report.parent.mkdir()
    report.write_text("old")
    said = os.open(tmp_path / "said", os.O_CREAT | os.O_RDWR | os.O_APPEND)
    draw = random.Random(number)
    codes = []

    def work() -> int:
        os.dup2(said, 1)
        os.dup2(said, 2)
        sys.stdout = sys.stderr = os.fdopen(1, "w", closefd=False)
        os.write(ready, b".")
        return run(["inspect", "labels", str(data), "-o", str(report), "--format", "json", "--cache-dir", str(cache)])

    for _ in range(10):
        waiting, ready = os.pipe()
        child = fork(work)
        os.read(waiting, 1)
        time.sleep(0.01 + draw.random() * 0.5)
        started = time.monotonic()
        os.kill(child, number)
        codes.append(ended(child))
        assert time.monotonic() - started < 2
        os.close(waiting)
        os.close(ready)
        assert codes[-1] == code or (codes[-1] == 1 and report.read_text() != "old")
        report.write_text("old")
        assert os.listdir(report.parent) == ["report.json"]
        assert all(path.endswith(".dlc") for path, _, _ in held(str(cache)))
    os.close(said)
    assert code in codes
    assert (tmp_path / "said").read_bytes() == b""


def test_a_reader_that_has_left(data: Path) -> None:
    """The code is the one that the run had earned."""
    reading, writing = os.pipe()
    os.close(reading)
    done = forked(["inspect", "labels", str(data), "--format", "json", "--no-cache"], out=writing)
    os.close(writing)
    assert (done.code, done.err) == (1, "")


def test_a_reader_that_takes_one_line(data: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "inspect", "labels", str(data), "--no-cache"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=50) == 1
    assert process.stderr.read() == b""


def test_no_stdout_at_all(data: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" inspect labels "$2" --no-cache >&-', sys.executable, COMMAND, str(data)], capture_output=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")
