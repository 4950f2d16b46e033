"""`inspect labels` without its dress: one data set or several, one loader or all of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from detloss_cli import reading
from detloss_cli import scene as scenes
from detloss_cli.checks.judge import judge
from detloss_cli.checks.labels import label_findings
from detloss_cli.checks.sets import set_faults
from detloss_cli.errors import DetlossError
from detloss_cli.facts import DataFacts, Facts, Settings
from detloss_cli.facts.labels import GroupFacts, LoaderFacts, SurveyFacts
from detloss_cli.finding import Finding
from detloss_cli.inputs.dataset import DataSet
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.loaders import LOADERS
from detloss_cli.measure import label_sets as sets
from detloss_cli.resolve import Request, label_loader

ALL = "all"
IMGSZ = (640, 640)
# keras-yolo3 reads annotation lines of its own, no label rows.
ROW_LOADERS = tuple(name for name in LOADERS if name != "keras-yolo3")


def inspect_labels(request: Request, *, by: str | None = None) -> tuple[Facts, list[Finding]]:
    """What the files hold and what the loader does with each row. Never imports torch.

    Args:
        request: with `loader` "all", the strict one reads, unless an option speaks of a family, and every other is counted beside it.
        by: `folder`, `split` or `class`: counts of each.
    """
    if request.sets:
        raise DetlossError(
            "no label row depends on it", where=request.sets[0], hint="leave it out; compute, check and inspect targets read it"
        )
    loader, family, why = label_loader(request)
    if loader not in LOADERS:
        raise DetlossError("unknown loader", where=f"--loader {loader}", hint=f"one of {', '.join(LOADERS)}, {ALL}")
    read = [_read(request, path, loader) for path in _paths(request)]
    datasets = [dataset for dataset, _ in read]
    imgsz = request.imgsz or IMGSZ
    findings = [*judge(set_faults(datasets))] if len(datasets) > 1 else []
    for dataset, faults in read:
        findings.extend((*judge(faults), *label_findings(dataset, imgsz=max(imgsz))))
    data = _data(request, datasets)
    facts = Facts(
        "inspect labels",
        data=data,
        settings=_settings(request, datasets, loader, family, why),
        labels=sets.merged([scenes.label_facts(dataset, _size_px(dataset, imgsz)) for dataset in datasets]),
        survey=_survey(request, datasets, by, findings, data.root),
    )
    return facts, list(dict.fromkeys(findings))


def _paths(request: Request) -> tuple[str, ...]:
    if not request.data:
        raise DetlossError("DATA is missing", hint="a data.yaml, a folder of labels, a .txt list or a COCO .json")
    seen: dict[str, str] = {}
    for path in request.data:
        real = os.path.realpath(path)
        if real in seen:
            raise DetlossError("the same data set twice", where=path, hint="name each one once")
        seen[real] = path
    return request.data


def _read(request: Request, path: str, loader: str) -> tuple[DataSet, tuple[Fault, ...]]:
    splits = None if request.split in (None, ALL) else tuple(str(request.split).split(","))
    return reading.load(replace(request, data=(path,)), splits=splits, loader=loader, sizes=False)


def _size_px(dataset: DataSet, imgsz: tuple[int, int]) -> NDArray[np.float32]:
    """(N, 2) sides at the network input, of square pictures where sizes are unknown."""
    labels = dataset.labels
    if not labels.images.width.any():
        return labels.boxes[:, 2:] * np.float32(max(imgsz))
    sides = np.stack([labels.images.width, labels.images.height], axis=1).astype(np.float32)
    sides[(sides <= 0).any(axis=1)] = 1.0
    scaled = sides * (np.float32(max(imgsz)) / sides.max(axis=1, initial=1.0, keepdims=True))
    size_px: NDArray[np.float32] = labels.boxes[:, 2:] * scaled[labels.image]
    return size_px


def _data(request: Request, datasets: Sequence[DataSet]) -> DataFacts:
    """Where the data stands; of several data sets, the folder that holds them all."""
    parts = [scenes.data_facts(request, dataset) for dataset in datasets]
    if len(parts) == 1:
        return parts[0]
    root = os.path.commonpath([part.root for part in parts])
    splits: dict[str, tuple[str, ...]] = {}
    for part in parts:
        for split, places in part.splits.items():
            splits[split] = (*splits.get(split, ()), *places)
    return DataFacts(" + ".join(part.path for part in parts), root, splits)


def _settings(request: Request, datasets: Sequence[DataSet], loader: str, family: str, why: str) -> Settings:
    """The few choices that labels alone depend on; the rest is empty."""
    known = all(dataset.labels.images.sizes_known and len(dataset.labels.images) for dataset in datasets)
    sources = {dataset.names_source for dataset in datasets}
    return Settings(
        family=family,
        profile=request.profile or "",
        loader=loader,
        model="",
        imgsz=request.imgsz or IMGSZ,
        num_classes=max(dataset.num_classes for dataset in datasets),
        names_source=sources.pop() if len(sources) == 1 else "",
        geometry="letterbox" if known else "square",
        batch_size=request.batch_size,
        device="cpu",
        dtype="float32",
        seed=request.seed,
        head=None,
        preds=None,
        hyp="",
        gains="",
        origins={"loader": why, "imgsz": "--imgsz" if request.imgsz else "default", "geometry": _opened(datasets, known)},
    )


def _opened(datasets: Sequence[DataSet], known: bool) -> str:
    """Why pictures are taken for square."""
    if known:
        return "default"
    return "no pictures" if all(dataset.labels_only for dataset in datasets) else "no picture is opened"


def _survey(request: Request, datasets: Sequence[DataSet], by: str | None, findings: Sequence[Finding], root: str) -> SurveyFacts:
    groups: tuple[GroupFacts, ...] = ()
    if by in ("folder", "split"):
        errors = sets.count_paths(finding.where.path for finding in findings if finding.severity == "error" and finding.where is not None)
        groups = sets.group_facts(datasets, by, errors, root)
    return SurveyFacts(
        loaders=_loaders(request, datasets) if request.loader == ALL else (),
        by=by,
        groups=groups,
        classes=sets.class_table(datasets) if by == "class" or len(datasets) > 1 else None,
        sets=tuple(sets.set_facts(dataset) for dataset in datasets) if len(datasets) > 1 else (),
        pictures=sets.picture_facts(datasets),
    )


def _loaders(request: Request, datasets: Sequence[DataSet]) -> tuple[LoaderFacts, ...]:
    """Every loader that reads rows; annotation files are read in one way by all."""
    own = datasets[0].loader
    if all(dataset.spec.kind in ("coco", "keras") for dataset in datasets):
        return (sets.loader_facts(datasets),)
    return tuple(
        sets.loader_facts(datasets if name == own else [_read(request, path, name)[0] for path in request.data]) for name in ROW_LOADERS
    )
