"""What a report must not depend on: clock, locale, terminal, hash seed, folder, order of files, network."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from child import PNG, command, make_set

HOSTILE = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "COLUMNS": "20", "TERM": "dumb"}
OTHER = {"TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8", "NO_COLOR": "1", "COLUMNS": "300", "FORCE_COLOR": "1", "CI": "1"}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Names that are no ASCII, or no text at all, and a file from the future."""
    root = tmp_path_factory.mktemp("data") / "set"
    found = make_set(root, 3)
    for name in (b"\xc3\xa9t\xc3\xa9", b"z\xff", b"I\xc4\xb1", b"a b"):
        (root / "images/train" / os.fsdecode(name + b".png")).write_bytes(PNG)
        (root / "labels/train" / os.fsdecode(name + b".txt")).write_text("7 .5 .5 .1 .1\n")
    ahead = time.time() + 10 * 365 * 86400
    os.utime(root / "labels/train/00001.txt", (ahead, ahead))
    return found


@pytest.fixture(scope="module")
def plain(data: Path) -> tuple[int, str]:
    done = command(["inspect", "labels", str(data), "--format", "json", "--no-cache"])
    assert done.code == 1
    return done.code, done.out


@pytest.mark.parametrize(("env", "seed"), [(HOSTILE, "0"), (OTHER, "1")], ids=["hostile", "other"])
def test_clock_locale_and_terminal(env: dict[str, str], seed: str, data: Path, plain: tuple[int, str], tmp_path: Path) -> None:
    cache = ["--cache-dir", str(tmp_path / "cache")]
    done = command(["inspect", "labels", str(data), "--format", "json", *cache], env={**env, "PYTHONHASHSEED": seed})
    assert (done.code, done.out, done.err) == (*plain, "")


def test_the_folder_one_stands_in_and_the_order_of_files(data: Path, plain: tuple[int, str], tmp_path: Path) -> None:
    """A copy, its files made in another order, read from its own folder."""
    copy = tmp_path / "copy"
    for path in sorted((path for path in data.parent.rglob("*") if path.is_file()), reverse=True):
        to = copy / path.relative_to(data.parent)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, to)
    done = command(["inspect", "labels", "data.yaml", "--format", "json"], cwd=copy)
    here, there = (
        text.replace(str(root), "ROOT").replace('"data.yaml"', '"ROOT/data.yaml"')
        for text, root in ((done.out, copy), (plain[1], data.parent))
    )
    assert (done.code, here) == (plain[0], there)


def test_a_text_report_in_a_poor_locale(data: Path) -> None:
    done = command(["inspect", "labels", str(data), "--format", "text", "--no-cache"], env=HOSTILE)
    assert (done.code, done.err) == (1, "")
    assert done.out.isascii()


def test_no_network(data: Path, plain: tuple[int, str]) -> None:
    if not shutil.which("unshare") or subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode:
        pytest.skip("a network namespace of its own needs rights that this user does not have")
    done = command(["inspect", "labels", str(data), "--format", "json", "--no-cache"], prefix=["unshare", "-n"])
    assert (done.code, done.out) == plain
