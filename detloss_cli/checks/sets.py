"""Rules about several data sets that are to be trained together: what a class id means in each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detloss_cli.checks.rule import Rule, Words, rule
from detloss_cli.inputs.dataset import DataSet
from detloss_cli.inputs.fault import Fault


def names_swapped(fault: Fault) -> Words:
    """Two data sets use the same names in another order.

    Trained together, boxes of one class are learnt as another. No loader notices: ids are all that a label file has.
    """
    return f"{fault.token} in another order than {fault.detail}", "renumber the labels of one of them"


def names_differ(fault: Fault) -> Words:
    """An id means one class in one data set and another class in the other.

    Trained together, both are one class. Spelling counts: `hard hat` and `helmet` may be the same thing.
    """
    return f"id {fault.token}, but {fault.detail}", "renumber the labels of one, or give both the same names"


def names_missing(fault: Fault) -> Words:
    """A data set has boxes with ids that another one has no name for.

    Under the names of the other their rows are in error: loaders drop the images, or the training stops.
    """
    return f"{fault.token} with ids that {fault.detail} has no name for", "train with the longer list of names"


RULES: tuple[Rule, ...] = (
    rule("DET280", "warning", names_swapped),
    rule("DET281", "warning", names_differ),
    rule("DET282", "warning", names_missing),
)
MOST = 20


def set_faults(datasets: Sequence[DataSet]) -> Iterator[Fault]:
    """What the names of each data set and of the first one that has any do not agree in. Faults stand at the later data set."""
    named = [dataset for dataset in datasets if dataset.names_source in ("names", "option")]
    if not named:
        return
    first = named[0]
    for other in named[1:]:
        yield from _names(first, other)
    for other in datasets:
        beyond = int((other.strict.cls >= first.num_classes).sum()) if other is not first else 0
        if beyond:
            boxes = f"{beyond:,} box" + ("es" if beyond > 1 else "")
            yield Fault("names-missing", other.spec.path, None, None, boxes, first.spec.path)


def _names(first: DataSet, other: DataSet) -> Iterator[Fault]:
    ours, theirs = _named(first), _named(other)
    differ = [cls for cls in range(min(len(ours), len(theirs))) if ours[cls] != theirs[cls]]
    if not differ:
        return
    moved = [cls for cls in differ if theirs[cls] in ours]
    if len(moved) == len(differ):
        example = ", ".join(f"{theirs[cls]!r} is {cls} here and {ours.index(theirs[cls])} there" for cls in moved[:3])
        yield Fault("names-swapped", other.spec.path, None, None, "the same names", f"{first.spec.path}: {example}")
        return
    for cls in differ[:MOST]:
        yield Fault("names-differ", other.spec.path, None, None, f"{cls} is {theirs[cls]!r}", f"{ours[cls]!r} in {first.spec.path}")


def _named(dataset: DataSet) -> list[str]:
    return [name.strip().casefold() for name in dataset.strict.names]
