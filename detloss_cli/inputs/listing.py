"""The images of the splits of a data set, each once, whatever names it: folders and list files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from detloss_cli.inputs.dataspec import DataSpec
from detloss_cli.inputs.fault import Fault
from detloss_cli.inputs.image_list import pair_list
from detloss_cli.inputs.limits import Limits
from detloss_cli.inputs.pairing import Paired, pair_folder
from detloss_cli.inputs.scan import Scanner, scan
from detloss_cli.inputs.single_files import pair_files
from detloss_cli.inputs.stray_labels import stray_folders


@dataclass(slots=True)
class Listing:
    """M images. pictures, labels, splits: (M,) as in `Images`. labels_only: True if no picture was found, only labels.
    orphans: label files that no picture asks for -> the kind of fault at them.
    """

    pictures: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    caches: list[str] = field(default_factory=list)
    labels_only: bool = False
    orphans: dict[str, str] = field(default_factory=dict)


def list_images(spec: DataSpec, splits: Sequence[str], limits: Limits, *, allow_outside: bool = False, scanner: Scanner = scan) -> Listing:
    """Find the images of `splits`, in that order. An image that several of them name belongs to the first.

    Args:
        scanner: who looks into folders.
    """
    listing = Listing()
    owner: dict[str, str] = {}
    named: dict[str, str] = {}
    for split in splits:
        start = len(listing.pictures)
        if spec.kind == "files":
            _add(listing, pair_files(spec.splits[split]), split, owner)
            continue
        for source in spec.splits.get(split, ()):
            real = os.path.realpath(source)
            if real in named:
                if named[real] != split:
                    listing.faults.append(Fault("split-same-path", spec.path, None, None, source, f"{named[real]} and {split}"))
                continue
            named[real] = split
            is_list = source.lower().endswith(".txt") and os.path.isfile(source)
            if is_list:
                paired = pair_list(source, spec.root, limits, allow_outside=allow_outside)
            else:
                paired = pair_folder(source, spec.root, limits, allow_outside=allow_outside, scanner=scanner)
            if not is_list and not listing.pictures:
                _take(listing, paired, split)  # a folder names nothing twice
                continue
            owner = owner or dict(zip(listing.pictures, listing.splits, strict=True))
            _add(listing, paired, split, owner)
        # the trainers sort what all folders and lists of a split hold
        own = listing.pictures[start:]
        if own != sorted(own):
            order = sorted(range(start, len(listing.pictures)), key=listing.pictures.__getitem__)
            listing.pictures[start:] = [listing.pictures[n] for n in order]
            listing.labels[start:] = [listing.labels[n] for n in order]
    read = set(listing.labels) if listing.orphans or spec.kind == "folder" else set()
    if spec.kind == "folder" and spec.root == os.path.realpath(spec.path):
        listing.faults.extend(stray_folders(spec.root, {*read, *listing.orphans}, limits))
    listing.orphans = {path: kind for path, kind in sorted(listing.orphans.items()) if path not in read}
    listing.caches = sorted(set(listing.caches))
    listing.labels_only = bool(listing.pictures) and all(
        picture == label for picture, label in zip(listing.pictures, listing.labels, strict=True)
    )
    return listing


def _take(listing: Listing, paired: Paired, split: str) -> None:
    """All that was paired, whose pictures are known to be new."""
    listing.faults.extend(paired.faults)
    listing.caches.extend(paired.caches)
    listing.orphans.update(paired.orphans)
    listing.pictures.extend(paired.pictures)
    listing.labels.extend(paired.labels)
    listing.splits.extend([split] * len(paired.pictures))


def _add(listing: Listing, paired: Paired, split: str, owner: dict[str, str]) -> None:
    """What was paired, each picture once. owner: picture -> the split that named it first."""
    new = set(paired.pictures)
    if len(new) == len(paired.pictures) and owner.keys().isdisjoint(new):
        owner.update(dict.fromkeys(paired.pictures, split))
        _take(listing, paired, split)
        return
    listing.faults.extend(paired.faults)
    listing.caches.extend(paired.caches)
    listing.orphans.update(paired.orphans)
    for picture, label in zip(paired.pictures, paired.labels, strict=True):
        first = owner.setdefault(picture, split)
        if len(owner) > len(listing.pictures):
            listing.pictures.append(picture)
            listing.labels.append(label)
            listing.splits.append(split)
        else:
            kind = "listed-twice" if first == split else "split-overlap"
            listing.faults.append(Fault(kind, picture, None, None, os.path.basename(picture), f"{first} and {split}"))
