"""Data sets written for one test, and read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from detloss_cli.inputs.data_yaml import read_data
from detloss_cli.inputs.dataset import DataSet, read_dataset

ROW = "0 0.5 0.5 0.25 0.5\n"
YAML = "train: images/train\nval: images/val\nnames: [a, b]\n"
Make = Callable[[dict[str, str]], Path]


def read(path: Path, *, splits: tuple[str, ...] | None = None, loader: str = "strict", **options: object) -> DataSet:
    spec, _ = read_data(str(path))
    found = read_dataset(spec, splits or tuple(spec.splits), loader, **{"num_classes": None, "sizes": False, **options})  # type: ignore[arg-type]
    counts = found.counts
    assert counts.images == counts.labelled + counts.background + counts.skipped == len(found.labels.images)
    assert counts.kept + counts.lost_rows == counts.rows
    assert counts.kept == len(found.labels)
    assert sum(counts.lost_by_rule.values()) == counts.lost_rows
    return found


def kinds(dataset: DataSet) -> dict[str, str]:
    """Place -> kind, places below the root."""
    return {os.path.relpath(fault.path, dataset.spec.root): fault.kind for fault in dataset.faults}
