#!/usr/bin/env python3
"""Run every benchmark of this folder and print its ratios.

    python benchmarks/run.py [--full] [NAME ...]

A benchmark is a file bench_<name>.py with `measure(full) -> Iterator[Row]`. Machines are noisy: what is quoted is the ratio of medians
that were taken in turn in one run, never a single time.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="*", help="which benchmarks, all without a name")
    parser.add_argument("--full", action="store_true", help="full size instead of a tenth")
    arguments = parser.parse_args()
    sys.path.insert(0, str(HERE))
    known = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    unknown = set(arguments.name) - set(known)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    print(f"{'what':<34} {'detloss s':>10} {'against':<18} {'s':>8} {'ratio':>7}  goal")
    for name in arguments.name or known:
        for row in importlib.import_module(f"bench_{name}").measure(arguments.full):
            print(
                f"{row.what:<34} {row.ours:>10.3f} {row.peer:<18} {row.theirs:>8.3f} {row.ours / row.theirs:>7.2f}  {row.goal}", flush=True
            )


if __name__ == "__main__":
    main()
