#!/usr/bin/env python3
"""Measure detloss beside others and print medians, ratios and peak memory with the goal beside them.

    python benchmarks/run.py [--full] [--rounds N] [--folder DIR] [--write] [NAME ...]

A benchmark is a module with two functions: `prepare(place)` makes what it needs and is not timed, `measure(place)` yields rows.
Machines are noisy: what is quoted is the ratio of medians that were taken in turn in one run, never a single time.
Data and the environments of the others are kept below --folder.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from in_turn import Row, cores  # noqa: E402
from table import HEAD, line, quote, write  # noqa: E402
from workplace import ROOT, Place  # noqa: E402

# Name on the command line -> module. The table is written in this order.
BENCHMARKS = {
    "start": "bench_start",
    "labels": "bench_labels",
    "cached": "bench_cached",
    "broken": "bench_broken",
    "linear": "bench_linear",
    "peers": "bench_peers",
    "assignment": "bench_assignment",
    "set-loss": "bench_set_loss",
    "stacked": "bench_stacked",
    "check": "bench_check",
    "anchors": "bench_anchors",
    "real-heads": "bench_real_heads",
    "heads": "bench_heads",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="*", help=f"which benchmarks, all without a name: {', '.join(BENCHMARKS)}")
    parser.add_argument("--full", action="store_true", help="full size instead of a tenth")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each, in turn")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "bench", help="where data and peers are kept")
    parser.add_argument("--write", action="store_true", help="put the rows into docs/benchmarks.md, a few of all into the README")
    arguments = parser.parse_args()
    if unknown := set(arguments.name) - set(BENCHMARKS):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    place = Place(arguments.folder.resolve(), arguments.full, arguments.rounds)
    place.folder.mkdir(parents=True, exist_ok=True)
    found = measured(arguments.name or BENCHMARKS, place)
    if arguments.write:
        write(ROOT / "docs" / "benchmarks.md", found, place, cores())
        if found.keys() == BENCHMARKS.keys():
            quote(ROOT / "README.md", found, place, cores())
    missed = [row.what for rows in found.values() for row in rows if row.holds is False]
    print(f"\n{len(missed)} of {sum(row.holds is not None for rows in found.values() for row in rows)} goals missed")
    return 0


def measured(names: Iterable[str], place: Place) -> dict[str, list[Row]]:
    """name -> its rows, printed as they come. Each in a process of its own: what one leaves in its heap would trouble the next."""
    print(HEAD, flush=True)
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh, max_tasks_per_child=1) as alone:
        return {name: alone.submit(_rows, name, place).result() for name in names}


def _rows(name: str, place: Place) -> list[Row]:
    module = importlib.import_module(BENCHMARKS[name])
    module.prepare(place)
    rows = []
    for row in module.measure(place):
        rows.append(row)
        print(line(row), flush=True)
    return rows


if __name__ == "__main__":
    raise SystemExit(main())
