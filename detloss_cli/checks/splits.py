"""Rules about splits and class names: what one split shares with another, lacks, or never uses."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from detloss_cli.checks.quoted import quoted
from detloss_cli.checks.rule import Rule, Words, rule
from detloss_cli.inputs.dataset import DataSet
from detloss_cli.inputs.fault import Fault

# Web exports name each augmented copy of a picture `<picture>.rf.<hash>.<extension>`.
COPY = re.compile(r"(.+)\.rf\.[0-9a-zA-Z]{16,}\.\w+\Z")


def split_same_path(fault: Fault) -> Words:
    """Two splits are the same folder or list.

    Small demo sets do this on purpose. Validation then measures what was learnt by heart.
    """
    return f"{fault.detail} are the same path", None


def split_overlap(fault: Fault) -> Words:
    """A picture stands in two splits that are not the same list.

    Validation measures what was trained on. It is counted in the first of them.
    """
    return f"the picture is in {fault.detail}", "take it out of one of them"


def augmented_copies(fault: Fault) -> Words:
    """Augmented copies of one picture stand in two splits.

    The export multiplied pictures before it split them: validation sees what training saw, mirrored or brightened.
    """
    return f"copies of {quoted(fault.token)} are in {fault.detail}", "export again: split first, then augment the training pictures"


def class_never_trained(fault: Fault) -> Words:
    """A class occurs in another split, but never in train.

    The head has a channel for it and learns only to say no there. A split by folder or by date does this.
    """
    return f"class {fault.token} has no box in train, but {fault.detail}", "move some of its pictures to train"


def class_not_in_split(fault: Fault) -> Words:
    """A class is trained, but has no box in another split: nothing measures it there.

    Its average precision is undefined there, and trainers leave it out of the mean without a word.
    """
    return f"class {fault.token} has no box in {fault.detail}", None


def unused_names(fault: Fault) -> Words:
    """Classes have a name, but no box in any split that was read.

    Each costs the loss a column of negatives; often ids are shifted by one.
    """
    return f"no box of class {fault.token}" + (f" and {fault.detail} more" if fault.detail else ""), None


RULES: tuple[Rule, ...] = (
    rule("DET240", "info", split_same_path),
    rule("DET241", "warning", split_overlap),
    rule("DET242", "warning", augmented_copies),
    rule("DET243", "warning", class_never_trained),
    rule("DET244", "info", class_not_in_split),
    rule("DET245", "info", unused_names),
)


def split_faults(dataset: DataSet) -> Iterator[Fault]:
    """What the splits have in common that they should not, and the classes they lack."""
    if len(dataset.splits) > 1:
        yield from _copies(dataset)
    used = _boxes_of_class(dataset)
    trained = used.get("train")
    for split, boxes in used.items():
        if split == "train" or trained is None:
            continue
        for cls in np.flatnonzero((boxes > 0) & (trained == 0)).tolist():
            yield Fault("class-never-trained", dataset.spec.path, None, None, _name(dataset, cls), f"{boxes[cls]} in {split}")
        for cls in np.flatnonzero((boxes == 0) & (trained > 0)).tolist():
            yield Fault("class-not-in-split", dataset.spec.path, None, None, _name(dataset, cls), split)
    if used and dataset.names_source in ("names", "option"):
        unused = np.flatnonzero(sum(used.values()) == 0).tolist()
        if unused:
            first = ", ".join(_name(dataset, cls) for cls in unused[:5])
            yield Fault("unused-names", dataset.spec.path, None, None, first, str(len(unused) - 5) if len(unused) > 5 else "")


def _boxes_of_class(dataset: DataSet) -> dict[str, NDArray[np.int64]]:
    """split -> (C,) boxes, for splits that hold any."""
    labels = dataset.strict
    number = {split: n for n, split in enumerate(dict.fromkeys(labels.images.split))}
    if len(number) == 1 and 0 <= labels.cls.max(initial=-1) < dataset.num_classes:
        return dict.fromkeys(number, np.bincount(labels.cls, minlength=dataset.num_classes))
    of_image = np.fromiter(map(number.__getitem__, labels.images.split), dtype=np.int64, count=len(labels.images))
    of_box = of_image[labels.image]
    inside = labels.cls < dataset.num_classes
    found = {}
    for split, n in number.items():
        own = of_box == n
        if own.any():
            found[split] = np.bincount(labels.cls[own & inside], minlength=dataset.num_classes)
    return found


def _name(dataset: DataSet, cls: int) -> str:
    return f"{cls} {dataset.strict.names[cls]}" if cls < len(dataset.strict.names) else str(cls)


def _copies(dataset: DataSet) -> Iterator[Fault]:
    images = dataset.strict.images
    seen: dict[str, str] = {}
    told: set[tuple[str, str]] = set()
    for picture, split in zip(images.path, images.split, strict=True):
        if ".rf." not in picture:
            continue
        match = COPY.match(picture.rpartition("/")[2])
        if match is None:
            continue
        origin = match.group(1)
        first = seen.setdefault(origin, split)
        if first != split and (origin, split) not in told:
            told.add((origin, split))
            yield Fault("augmented-copies", picture, None, None, origin, f"{first} and {split}")
