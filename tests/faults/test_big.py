"""Big inputs end as the table says: small ones in every run, the full sizes where slow tests are asked for."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from child import COMMAND, PNG, forked, make_set

DIRTY = "0 1.5 0.5 0.1 0.1\n"


def label(root: Path) -> Path:
    return root / "labels/train/00000.txt"


def many(root: Path, count: int) -> None:
    """Pictures with a label each, a thousand to a folder."""
    for number in range(count):
        picture, text = (root / kind / "train" / f"{number // 1000:05d}" / f"{number}" for kind in ("images", "labels"))
        if number % 1000 == 0:
            picture.parent.mkdir(parents=True)
            text.parent.mkdir(parents=True)
        if number % 50_000 == 0:
            picture.with_suffix(".png").write_bytes(PNG)
            first = picture.with_suffix(".png")
        else:
            os.link(first, picture.with_suffix(".png"))
        text.with_suffix(".txt").write_text("0 0.5 0.5 0.2 0.2\n")


def rows(root: Path, count: int) -> None:
    """One label file, its last row wrong."""
    label(root).write_text("".join(f"{n % 2} 0.{n % 9 + 1} 0.5 0.01 0.0{n % 8 + 1}\n" for n in range(count - 1)) + DIRTY)


def dirty_rows(root: Path, count: int) -> None:
    """One label file, every row wrong."""
    label(root).write_text(DIRTY * count)


def oneline(root: Path, mib: int) -> None:
    """One line without an end."""
    label(root).write_text("0 0.5 0.5 0.2 0.2 " * ((mib << 20) // 18))


def sparse(root: Path, gib: int) -> None:
    """A file that is mostly a hole."""
    with label(root).open("r+b") as file:
        file.truncate(gib << 30)


def deep(root: Path, count: int) -> None:
    """A label that many folders down."""
    for kind, name, body in (("images", "a.png", PNG), ("labels", "a.txt", b"9 0.5 0.5 0.1 0.1\n")):
        folder = root / kind / "train" / "/".join(["d"] * count)
        folder.mkdir(parents=True)
        (folder / name).write_bytes(body)


def longpath(root: Path, count: int) -> None:
    """Folders with names of two hundred letters."""
    here = Path.cwd()
    for kind, name, body in (("images", "a.png", PNG), ("labels", "a.txt", b"9 0.5 0.5 0.1 0.1\n")):
        os.chdir(root / kind / "train")
        for _ in range(count):
            os.mkdir("n" * 200)
            os.chdir("n" * 200)
        Path(name).write_bytes(body)
        os.chdir(here)


def names(root: Path, count: int) -> None:
    """That many class names."""
    (root / "data.yaml").write_text("train: images/train\nval: images/train\nnames:\n" + "".join(f"  {n}: c{n}\n" for n in range(count)))


def nesting(root: Path, count: int) -> None:
    """Lists in lists."""
    (root / "hyp.yaml").write_text("x: " + "[" * count + "]" * count + "\n")


def dupes(root: Path, count: int) -> None:
    """Boxes of one image, all on one cell."""
    label(root).write_text("".join(f"0 0.5{n % 97:02d}{n % 89:02d} 0.5 0.2 0.{2000 + n % 500}\n" for n in range(count)))


def mixed(root: Path, count: int) -> None:
    """One polygon among boxes, which some loaders then read as points."""
    boxes = "".join(f"0 .5 .5 .{n + 1} .1\n" for n in range(count))
    label(root).write_text("0 .1 .1 .2 .1 .2 .2 .1 .2\n" + boxes)


@dataclass(frozen=True, slots=True)
class Big:
    """small, full: N for every run, and for slow ones. code: the exit. rule: one of the findings, at small and at full size.

    seconds, mb: limits of the full size on a machine that does other things as well: four times what was measured, at least 5 and 150.
    """

    make: Callable[[Path, int], None]
    small: int
    full: int
    codes: tuple[int, int]
    rules: tuple[str, str]
    seconds: float
    mb: int


TABLE = (
    #    kind        small    full       exit    a finding of the small and of the full one              s    MB
    Big(many, 500, 100_000, (0, 0), ("split-same-path", "split-same-path"), 20, 500),
    Big(rows, 1_000, 1_000_000, (1, 4), ("centre-outside", "label-too-big"), 5, 150),
    Big(rows, 2_000, 150_000, (1, 4), ("centre-outside", "too-many-rows"), 35, 500),
    Big(dirty_rows, 2_000, 100_000, (1, 1), ("centre-outside", "centre-outside"), 45, 600),
    Big(oneline, 1, 100, (4, 4), ("line-too-long", "label-too-big"), 5, 150),
    Big(sparse, 1, 8, (4, 4), ("label-too-big", "label-too-big"), 5, 150),
    Big(deep, 30, 300, (1, 1), ("class-out-of-range", "class-out-of-range"), 5, 150),
    Big(longpath, 10, 17, (1, 1), ("class-out-of-range", "class-out-of-range"), 5, 150),
    Big(names, 1_000, 1_000_000, (0, 1), ("unused-names", "yaml-too-large"), 5, 150),
    Big(nesting, 1_000, 100_000, (1, 1), ("yaml-too-deep", "yaml-too-deep"), 5, 150),
    Big(dupes, 1_000, 20_000, (0, 0), ("near-duplicate-box", "near-duplicate-box"), 10, 300),
    Big(mixed, 1_000, 90_000, (1, 1), ("mixed-rows", "mixed-rows"), 60, 600),
)


# Says at its end how much memory it ever had; what wait() knows counts the memory of the test run in.
PEAK = "import atexit, os, re; atexit.register(lambda: os.write(2, re.search(rb'VmHWM.*', open('/proc/self/status', 'rb').read())[0]));"


def prepare(big: Big, size: int, root: Path) -> list[str]:
    make_set(root, 0 if big.make is many else 1, bad="")
    big.make(root, size)
    told = ["hyp", str(root / "hyp.yaml")] if big.make is nesting else ["labels", str(root / "data.yaml"), "--no-cache"]
    told += ["--loader", "yolov5-7.0"] if big.make is mixed else []
    return ["inspect", *told, "--format", "json"]


def found(out: str) -> set[str]:
    return {finding["rule"] for finding in json.loads(out)["findings"]}


@pytest.mark.parametrize("big", TABLE, ids=lambda big: f"{big.make.__name__}-{big.small}")
def test_small(big: Big, tmp_path: Path) -> None:
    done = forked(prepare(big, big.small, tmp_path / "set"))
    assert (done.code, done.err) == (big.codes[0], "")
    assert big.rules[0] in found(done.out)
    assert done.seconds < 5


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="no /proc to read the peak memory from")
@pytest.mark.parametrize("big", TABLE, ids=lambda big: f"{big.make.__name__}-{big.full}")
def test_full(big: Big, tmp_path: Path) -> None:
    arguments = prepare(big, big.full, tmp_path / "set")
    started = time.monotonic()
    done = subprocess.run([sys.executable, "-c", PEAK + COMMAND, *arguments], capture_output=True, text=True)
    seconds, mb = time.monotonic() - started, int(done.stderr.split()[-2]) / 1024
    print(f"{big.make.__name__:<12}{big.full:>10,}  exit {done.returncode}  {seconds:5.1f} s  {mb:5.0f} MB")
    assert done.returncode == big.codes[1]
    assert big.rules[1] in found(done.stdout)
    assert seconds < big.seconds
    assert mb < big.mb


def test_time_is_linear_in_what_one_file_holds(tmp_path: Path) -> None:
    """Sixteen times the boxes or faults, not 256 times the time."""
    for make in (dupes, dirty_rows, mixed):
        took = []
        for size in (600, 9_600):
            root = tmp_path / f"{make.__name__}{size}"
            make_set(root, 1, bad="")
            make(root, size)
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            forked(["inspect", "labels", str(root / "data.yaml"), "--no-cache", "--loader", "yolov5-7.0"])
            took.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before)
        assert took[1] < 16 * took[0] + 0.1  # a straight line; a square would be 256 times
