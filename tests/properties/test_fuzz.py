"""Random damage to label files, YAML and cache files: five seconds a target in every run, `make fuzz` for an hour.

What once failed lies in `found/`, by target, and is tried first every time.
"""

from __future__ import annotations

import hashlib
import os
import random
import resource
import time
import warnings
from pathlib import Path

import pytest
from fuzz_targets import TARGETS, Target, Wrong
from guard_calls import Forbidden, guarded
from mutate import mutants

FOUND = Path(__file__).with_name("found")
SHORT_SECONDS = 5.0
LONG_SECONDS = float(os.environ.get("DETLOSS_FUZZ_SECONDS", "3600")) / len(TARGETS)
# A target does the work of many runs: every loader, both paths.
MOST_SECONDS, MORE_MB = 3.0, 256


def tried(target: Target, data: bytes, path: Path) -> None:
    """One input: no exception, nothing written, run or opened, in little time."""
    if target.on_disk:
        path.write_bytes(data)
    started = time.thread_time()
    with warnings.catch_warnings(), guarded():
        warnings.simplefilter("error")
        target.check(data, path) if target.on_disk else target.check(data)
    took = time.thread_time() - started
    if took > MOST_SECONDS:
        raise Wrong(f"{took:.1f} s")


def search(name: str, seconds: float, seed: int, folder: Path) -> int:
    """Runs for some seconds; how many inputs that were. What fails is kept."""
    target, path = TARGETS[name], folder / "data.yaml"
    for data in target.seeds():
        tried(target, data, path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    until, runs = time.monotonic() + seconds, 0
    for data in mutants(target.seeds(), random.Random(seed)):
        try:
            tried(target, data, path)
        except (Exception, Forbidden) as error:
            kept = FOUND / name / hashlib.blake2b(data, digest_size=8).hexdigest()
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(data)
            pytest.fail(f"{type(error).__name__}: {error} (kept as {kept}, {len(data)} bytes, seed {seed})")
        runs += 1
        if time.monotonic() > until:
            break
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < MORE_MB
    return runs


@pytest.mark.parametrize("name", TARGETS)
def test_five_seconds(name: str, tmp_path: Path) -> None:
    assert search(name, SHORT_SECONDS, 0, tmp_path) > 50


@pytest.mark.fuzz
@pytest.mark.parametrize("name", TARGETS)
def test_long(name: str, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"{name}: seed {seed}, {search(name, LONG_SECONDS, seed, tmp_path):,} inputs")


@pytest.mark.parametrize(
    "case", sorted(path for path in FOUND.rglob("*") if path.is_file()), ids=lambda path: f"{path.parent.name}-{path.name}"
)
def test_what_once_failed(case: Path, tmp_path: Path) -> None:
    tried(TARGETS[case.parent.name], case.read_bytes(), tmp_path / "data.yaml")


def test_the_guard_sees_what_it_is_for(tmp_path: Path) -> None:
    with guarded():
        for act in (
            lambda: (tmp_path / "x").write_text("x"),
            lambda: os.open(tmp_path / "x", os.O_CREAT | os.O_WRONLY),
            lambda: os.system("true"),
            lambda: eval("1"),
            lambda: os.mkdir(tmp_path / "y"),
            lambda: __import__("pickle").loads(b"cos\nsystem\n."),
            lambda: __import__("socket").socket(),
        ):
            with pytest.raises(Forbidden):
                act()
        with open(__file__) as file:
            assert file.read(3)
    assert list(tmp_path.iterdir()) == []


def test_the_mutator_is_repeatable_and_varied() -> None:
    def first(seed: int) -> list[bytes]:
        stream = mutants([b"0 .5 .5 .1 .1\n"], random.Random(seed))
        return [next(stream) for _ in range(300)]

    assert first(1) == first(1)
    assert first(1) != first(2)
    assert len(set(first(1))) > 200
