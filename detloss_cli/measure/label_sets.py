"""Labels counted over more than one data set or loader, or by part of one: the columns behind `inspect labels`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from detloss_cli.facts.labels import (
    ClassFacts,
    ClassRow,
    ClassTable,
    GroupFacts,
    LabelFacts,
    LoaderFacts,
    LostRows,
    PictureFacts,
    SetFacts,
)
from detloss_cli.inputs.dataset import DataSet
from detloss_cli.inputs.relative import relative

BEYOND = ("class-out-of-range", "class-huge")


def loader_facts(datasets: Sequence[DataSet]) -> LoaderFacts:
    """What one loader makes of some data sets."""
    counts = [dataset.counts for dataset in datasets]
    fates = [fate for dataset in datasets for fate in dataset.fates]
    return LoaderFacts(
        loader=datasets[0].loader,
        kept=sum(count.kept for count in counts),
        lost=sum(count.lost_rows for count in counts),
        images=sum(count.lost_images for count in counts),
        by_rule=_added(count.lost_by_rule for count in counts),
        misread=sum(fate.rows for fate in fates if fate.action == "misread"),
        removed=sum(fate.rows for fate in fates if fate.action == "remove"),
        stops=sum(fate.action == "stop" for fate in fates),
    )


def group_facts(datasets: Sequence[DataSet], by: str, errors: Mapping[str, int], root: str) -> tuple[GroupFacts, ...]:
    """The images of each folder or split.

    Args:
        by: `folder`, that of the label file or of the picture without one, or `split`. errors: by path. root: what folders are relative to.
    """
    sums: dict[str, list[int]] = {}
    for dataset in datasets:
        images = dataset.labels.images
        kept = np.bincount(dataset.labels.image, minlength=len(images)).tolist()
        rows = (dataset.rows if len(dataset.rows) else np.zeros(len(images), dtype=np.int32)).tolist()
        beyond = Counter(fault.path for fault in dataset.faults if fault.kind in BEYOND)
        names = images.split if by == "split" else [os.path.dirname(label or path) for path, label in zip(*_paths(dataset), strict=True)]
        for number, (path, label) in enumerate(zip(*_paths(dataset), strict=True)):
            wrong = errors.get(label, 0) + (errors.get(path, 0) if path != label else 0)
            figures = (1, rows[number] == 0, rows[number], kept[number], rows[number] - kept[number], beyond[label], wrong)
            total = sums.setdefault(names[number], [0] * len(figures))
            for place, figure in enumerate(figures):
                total[place] += figure
    return tuple(GroupFacts(relative(name, root) if by == "folder" else name, *total) for name, total in sorted(sums.items()))


def set_facts(dataset: DataSet) -> SetFacts:
    """One data set of several."""
    counts = dataset.counts
    return SetFacts(
        path=dataset.spec.path,
        root=dataset.spec.root,
        images=counts.images,
        rows=counts.rows,
        kept=counts.kept,
        lost=counts.lost_rows,
        num_classes=dataset.num_classes,
        names_source=dataset.names_source,
        beyond=beyond_names(dataset),
    )


def beyond_names(dataset: DataSet) -> int:
    """Rows with a class id beyond the names."""
    return sum(fault.kind in BEYOND for fault in dataset.faults)


def class_table(datasets: Sequence[DataSet]) -> ClassTable:
    """Names and boxes by id: a column a data set, or a split where there is one data set only."""
    if len(datasets) > 1:
        columns = tuple(dataset.spec.path for dataset in datasets)
        boxes = [np.bincount(dataset.labels.cls, minlength=dataset.num_classes) for dataset in datasets]
        return ClassTable(columns, _rows([dataset.labels.names for dataset in datasets], boxes))
    labels = datasets[0].labels
    of = np.array(labels.images.split, dtype=object)[labels.image] if len(labels) else np.empty(0, dtype=object)
    columns = tuple(dict.fromkeys((*datasets[0].splits, *labels.images.split)))
    boxes = [np.bincount(labels.cls[of == split], minlength=datasets[0].num_classes) for split in columns]
    return ClassTable(columns, _rows([labels.names] * len(columns), boxes))


def _rows(names: Sequence[Sequence[str]], boxes: Sequence[NDArray[np.int64]]) -> tuple[ClassRow, ...]:
    most = max((max(len(own), len(counted)) for own, counted in zip(names, boxes, strict=True)), default=0)
    return tuple(
        ClassRow(
            cls,
            tuple(own[cls] if cls < len(own) else None for own in names),
            tuple(int(counted[cls]) if cls < len(counted) else 0 for counted in boxes),
        )
        for cls in range(most)
    )


def picture_facts(datasets: Sequence[DataSet]) -> PictureFacts:
    """The images of all data sets, one after the other."""
    paths, labels, splits = list[str](), list[str](), list[str]()
    for dataset in datasets:
        images = dataset.labels.images
        paths.extend(images.path)
        labels.extend(images.label_path)
        splits.extend(images.split)
    kinds = {dataset.spec.kind for dataset in datasets}
    annotated = labels[0] if kinds == {"keras"} and len(datasets) == 1 and labels else ""
    return PictureFacts(tuple(paths), tuple(labels), tuple(splits), annotated)


def merged(parts: Sequence[LabelFacts]) -> LabelFacts:
    """Several data sets as one; a class is called what the first of them calls its id."""
    if len(parts) == 1:
        return parts[0]
    classes: dict[int, list[ClassFacts]] = {}
    for one in (one for part in parts for one in part.classes):
        classes.setdefault(one.id, []).append(one)
    return LabelFacts(
        images=sum(part.images for part in parts),
        labelled=sum(part.labelled for part in parts),
        background=sum(part.background for part in parts),
        missing=sum(part.missing for part in parts),
        skipped=sum(part.skipped for part in parts),
        rows=sum(part.rows for part in parts),
        boxes=sum(part.boxes for part in parts),
        kept=sum(part.kept for part in parts),
        lost=LostRows(
            sum(part.lost.rows for part in parts),
            sum(part.lost.images for part in parts),
            _added(part.lost.by_rule for part in parts),
        ),
        classes=tuple(
            ClassFacts(cls, own[0].name, sum(one.boxes for one in own), sum(one.images for one in own))
            for cls, own in sorted(classes.items())
        ),
        sizes={size: sum(part.sizes.get(size, 0) for part in parts) for size in parts[0].sizes},
    )


def _added(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for part in parts:
        total.update(part)
    return dict(sorted(total.items()))


def _paths(dataset: DataSet) -> tuple[tuple[str, ...], tuple[str, ...]]:
    images = dataset.labels.images
    return images.path, images.label_path


def count_paths(paths: Iterable[str]) -> dict[str, int]:
    """How often each occurs."""
    return dict(Counter(paths))
