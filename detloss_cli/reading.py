"""DATA as a request asks for it, read: which splits, whose loader, and each data set once where several commands ask."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from detloss_cli.errors import DetlossError
from detloss_cli.inputs.data_yaml import read_data
from detloss_cli.inputs.dataset import DataSet, read_dataset
from detloss_cli.inputs.dataspec import DataSpec
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.nearest import nearest
from detloss_cli.inputs.single_files import files_of, spec_of_files
from detloss_cli.measure.switches import single_class
from detloss_cli.resolve import Request


class Read(Protocol):
    """`load`, or what stands in for it."""

    def __call__(self, request: Request, *, splits: Sequence[str] | None, loader: str, sizes: bool) -> tuple[DataSet, tuple[Fault, ...]]:
        """The data set, and the faults of its data.yaml."""
        ...


def load(request: Request, *, splits: Sequence[str] | None, loader: str, sizes: bool) -> tuple[DataSet, tuple[Fault, ...]]:
    """Read DATA.

    Args:
        splits: those to read; None for all that there are.

    Raises:
        DetlossError: DATA cannot be opened, or does not have the split that was asked for.
    """
    spec, faults = _spec(request)
    if splits is not None:
        refuse_splits(request, splits, spec.splits)
    image_sizes = Path(request.image_sizes) if request.image_sizes else None
    spec = replace(spec, num_classes=None) if request.single_cls else spec  # no class is too large where all become 0
    dataset = read_dataset(
        spec,
        splits or tuple(spec.splits),
        loader,
        num_classes=request.nc,
        sizes=sizes,
        image_sizes=image_sizes,
        limits=request.limits,
        cache=request.cache,
        allow_outside=request.allow_outside,
        mapper=request.mapper,
        scanner=request.scanner,
    )
    return (single_class(dataset) if request.single_cls else dataset), faults


class Shelf:
    """Reads like `load`, and each data set once: again only where another loader or number of classes is asked for."""

    def __init__(self) -> None:
        self._read: dict[object, tuple[DataSet, tuple[Fault, ...]]] = {}

    def __call__(self, request: Request, *, splits: Sequence[str] | None, loader: str, sizes: bool) -> tuple[DataSet, tuple[Fault, ...]]:
        where = (request.data, request.files, request.root, request.names, request.image_sizes)
        key = (*where, splits, loader, sizes, request.nc, request.single_cls)
        if key not in self._read:
            self._read[key] = load(request, splits=splits, loader=loader, sizes=sizes)
        return self._read[key]


def refuse_splits(request: Request, wanted: Sequence[str], present: Collection[str]) -> None:
    """Nothing where DATA has no splits at all: what it lacks is said by what reads it.

    Raises:
        DetlossError: one that was asked for is none of those.
    """
    missing = [split for split in wanted if split not in present]
    if missing and present:
        near = nearest(missing[0], present)
        hint = f"did you mean --split {near}?" if near else f"--split {' or '.join(present)}"
        raise DetlossError(f"no split {missing[0]!r}", where=request.data[0], hint=hint)


def _spec(request: Request) -> tuple[DataSpec, tuple[Fault, ...]]:
    """The data set, or what of it was named file by file."""
    if request.files and not request.data:
        return spec_of_files(request.files, request.names, request.limits.names), ()
    if len(request.data) != 1:
        raise DetlossError("one DATA is needed", where="DATA", hint="a data.yaml, a folder of labels or a .txt list")
    spec, faults = read_data(
        request.data[0], root=request.root, names=request.names, allow_outside=request.allow_outside, limits=request.limits
    )
    return (files_of(spec, request.files) if request.files else spec), faults


def asked_splits(request: Request) -> tuple[str, ...] | None:
    """The splits whose boxes are trained: those of --split, else train; None for all that there are."""
    if request.split in (None, ""):
        spec, _ = (
            read_data(request.data[0], root=request.root, names=request.names, allow_outside=request.allow_outside, limits=request.limits)
            if request.data
            else (None, ())
        )
        return ("train",) if spec is not None and "train" in spec.splits else None
    return None if request.split == "all" else tuple(str(request.split).split(","))
