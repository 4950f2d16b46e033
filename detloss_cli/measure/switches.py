"""What a trainer's command line does to labels that its loader has kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.dataset import DataSet
from detloss_cli.inputs.labels import Labels

ONE = "item"  # what trainers call the only class


def single_class(dataset: DataSet) -> DataSet:
    """Every box of class 0, as `--single-cls` has it; a name that is the only one stays."""
    names = dataset.labels.names if len(dataset.labels.names) == 1 else (ONE,)
    loaded, strict = (replace(labels, cls=np.zeros_like(labels.cls), names=names) for labels in (dataset.labels, dataset.strict))
    return replace(dataset, labels=loaded, strict=strict, num_classes=1, names_source="option")


def other_classes(labels: Labels, wanted: Sequence[int]) -> list[int]:
    """Rows of the boxes that `classes` leaves out. Their pictures stay, as background.

    Raises:
        DetlossError: a class that the data set does not have.
    """
    beyond = [one for one in wanted if not 0 <= one < max(1, len(labels.names))]
    if beyond:
        raise DetlossError(f"no class {beyond[0]}", where="--classes", hint=f"ids from 0 to {len(labels.names) - 1}")
    rows: list[int] = np.flatnonzero(~np.isin(labels.cls, list(wanted))).tolist()
    return rows
